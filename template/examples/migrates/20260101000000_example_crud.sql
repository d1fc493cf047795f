-- migrate:up
CREATE TABLE items (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name        text NOT NULL CONSTRAINT items_name_length CHECK (char_length(name) BETWEEN 1 AND 200),
    description text NOT NULL DEFAULT '',
    price       numeric(12, 2) NOT NULL CONSTRAINT items_price_not_negative CHECK (price >= 0),
    status      text NOT NULL DEFAULT 'draft'
                CONSTRAINT items_status_known CHECK (status IN ('draft', 'active', 'retired')),
    dimensions  jsonb,
    version     integer NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT items_name_is_unique UNIQUE (name)
);

-- One index per sort key, with the primary key behind it: a page by cursor then reads only its own rows.
CREATE INDEX items_by_created_at ON items (created_at, id);
CREATE INDEX items_by_price ON items (price, id);

-- What POST /items answered to a request with an Idempotency-Key, so that its repetition gets the same answer.
CREATE TABLE item_requests (
    requested_by   text NOT NULL,
    key            text NOT NULL,
    payload_sha256 text NOT NULL,
    status         integer NOT NULL CONSTRAINT item_requests_hold_success CHECK (status BETWEEN 200 AND 299),
    headers        jsonb NOT NULL,
    body           text NOT NULL,
    expires_at     timestamptz NOT NULL,
    PRIMARY KEY (requested_by, key)
);

CREATE INDEX item_requests_by_expiry ON item_requests (expires_at);

-- migrate:down
DROP TABLE item_requests;
DROP TABLE items;
