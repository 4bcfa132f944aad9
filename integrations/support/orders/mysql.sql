CREATE TABLE orders (
  id          int AUTO_INCREMENT PRIMARY KEY,
  customer    longtext NOT NULL,
  note        text,
  row_version char(36) CHARACTER SET ascii NOT NULL DEFAULT (uuid())
) ENGINE = InnoDB CHARACTER SET utf8mb4;

CREATE TABLE `lines` (
  order_id int NOT NULL,
  position int NOT NULL,
  sku      varchar(100) NOT NULL,
  quantity int NOT NULL CHECK (quantity > 0),
  PRIMARY KEY (order_id, position),
  UNIQUE (order_id, sku),
  FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE CASCADE
) ENGINE = InnoDB CHARACTER SET utf8mb4;

CREATE TRIGGER orders_version BEFORE UPDATE ON orders FOR EACH ROW SET NEW.row_version = uuid();

CREATE TRIGGER lines_inserted AFTER INSERT ON `lines` FOR EACH ROW
  UPDATE orders SET row_version = uuid() WHERE id = NEW.order_id;

CREATE TRIGGER lines_updated AFTER UPDATE ON `lines` FOR EACH ROW
  UPDATE orders SET row_version = uuid() WHERE id IN (OLD.order_id, NEW.order_id);

CREATE TRIGGER lines_deleted AFTER DELETE ON `lines` FOR EACH ROW
  UPDATE orders SET row_version = uuid() WHERE id = OLD.order_id;
