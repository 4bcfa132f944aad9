CREATE TABLE offers (
  id         text COLLATE "C" PRIMARY KEY,
  title      text NOT NULL,
  price      bigint NOT NULL CHECK (price >= 0),
  published  boolean NOT NULL,
  updated_at timestamp NOT NULL DEFAULT now(),
  version    text NOT NULL DEFAULT replace(gen_random_uuid()::text, '-', ''),
  replaced   text,
  digest     text
);

CREATE FUNCTION offers_version() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  NEW.version = replace(gen_random_uuid()::text, '-', '');
  NEW.replaced = OLD.version;
  NEW.digest = NULL;
  RETURN NEW;
END $$;

CREATE TRIGGER offers_version BEFORE UPDATE ON offers FOR EACH ROW
  WHEN (NEW.version = OLD.version) EXECUTE FUNCTION offers_version();
