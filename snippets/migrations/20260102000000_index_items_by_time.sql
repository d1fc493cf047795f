-- migrate:up transaction:false
CREATE INDEX CONCURRENTLY items_by_time ON items (created_at DESC, id DESC);

-- migrate:down transaction:false
DROP INDEX CONCURRENTLY items_by_time;
