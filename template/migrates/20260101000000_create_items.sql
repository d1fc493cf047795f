-- migrate:up
CREATE TABLE items (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name        text NOT NULL CONSTRAINT items_name_length CHECK (char_length(name) BETWEEN 1 AND 200),
    description text NOT NULL DEFAULT '',
    price       numeric(12, 2) NOT NULL CONSTRAINT items_price_not_negative CHECK (price >= 0),
    status      text NOT NULL DEFAULT 'draft'
                CONSTRAINT items_status_known CHECK (status IN ('draft', 'active', 'retired')),
    dimensions  jsonb,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT items_name_is_unique UNIQUE (name)
);

-- One index per sort key, with the primary key behind it: a page by cursor then reads only its own rows.
CREATE INDEX items_by_created_at ON items (created_at, id);
CREATE INDEX items_by_price ON items (price, id);

-- migrate:down
DROP TABLE items;
