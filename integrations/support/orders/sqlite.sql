CREATE TABLE orders (
  id          INTEGER PRIMARY KEY,
  customer    TEXT NOT NULL,
  note        TEXT,
  row_version TEXT NOT NULL DEFAULT (lower(hex(randomblob(12))))
) STRICT;

CREATE TABLE lines (
  order_id INTEGER NOT NULL REFERENCES orders ON DELETE CASCADE,
  position INTEGER NOT NULL,
  sku      TEXT NOT NULL,
  quantity INTEGER NOT NULL CHECK (quantity > 0),
  PRIMARY KEY (order_id, position),
  UNIQUE (order_id, sku)
) STRICT;

CREATE TRIGGER orders_version AFTER UPDATE ON orders WHEN new.row_version = old.row_version BEGIN
  UPDATE orders SET row_version = lower(hex(randomblob(12))) WHERE id = new.id;
END;

CREATE TRIGGER lines_inserted AFTER INSERT ON lines BEGIN
  UPDATE orders SET row_version = lower(hex(randomblob(12))) WHERE id = new.order_id;
END;

CREATE TRIGGER lines_updated AFTER UPDATE ON lines BEGIN
  UPDATE orders SET row_version = lower(hex(randomblob(12))) WHERE id IN (old.order_id, new.order_id);
END;

CREATE TRIGGER lines_deleted AFTER DELETE ON lines BEGIN
  UPDATE orders SET row_version = lower(hex(randomblob(12))) WHERE id = old.order_id;
END;
