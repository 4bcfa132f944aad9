import {
  DataTypes,
  type CreationOptional,
  type InferAttributes,
  type InferCreationAttributes,
  type Model,
  type ModelStatic,
  type NonAttribute,
  type Sequelize
} from 'sequelize'

export interface OrderModel extends Model<InferAttributes<OrderModel>, InferCreationAttributes<OrderModel>> {
  id: CreationOptional<number>
  customer: string
  note: string | null
  /** A bigint is a text with Sequelize, with all of its digits. */
  rowVersion: CreationOptional<string>
  lines?: NonAttribute<LineModel[]>
}

export interface LineModel extends Model<InferAttributes<LineModel>, InferCreationAttributes<LineModel>> {
  orderId: number
  position: number
  sku: string
  quantity: number
}

export interface Models { Orders: ModelStatic<OrderModel>, Lines: ModelStatic<LineModel> }

export function define (db: Sequelize, version: DataTypes.DataType = DataTypes.BIGINT): Models {
  const Orders = db.define<OrderModel>('orders', {
    id: { type: DataTypes.INTEGER, primaryKey: true, autoIncrement: true },
    customer: { type: DataTypes.TEXT, allowNull: false },
    note: DataTypes.TEXT,
    // A plain column, which the trigger moves. Not the option `version: true`: that is a counter of Sequelize.
    rowVersion: { type: version, field: 'row_version' }
  }, { timestamps: false })
  const Lines = db.define<LineModel>('lines', {
    orderId: { type: DataTypes.INTEGER, field: 'order_id', primaryKey: true },
    position: { type: DataTypes.INTEGER, primaryKey: true },
    sku: { type: DataTypes.TEXT, allowNull: false },
    quantity: { type: DataTypes.INTEGER, allowNull: false }
  }, { timestamps: false })
  Orders.hasMany(Lines, { as: 'lines', foreignKey: 'orderId' })
  return { Orders, Lines }
}
