CREATE TABLE order_writes (
  order_id integer PRIMARY KEY,
  version  text NOT NULL,
  replaced text,
  digest   text,
  FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE CASCADE
);
