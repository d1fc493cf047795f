-- migrate:up transaction:false
-- An interrupted build leaves an INVALID index; so take away what is there, and the file can simply run again.
DROP INDEX CONCURRENTLY IF EXISTS items_by_time;
CREATE INDEX CONCURRENTLY items_by_time ON items (created_at DESC, id DESC);

-- migrate:down transaction:false
DROP INDEX CONCURRENTLY IF EXISTS items_by_time;
