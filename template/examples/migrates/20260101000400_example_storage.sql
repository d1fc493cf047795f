-- migrate:up
-- Where files lie: below the prefix <id>/ of a shared bucket, or of a bucket of their own.
CREATE TABLE storage_areas (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    owner      text NOT NULL,
    name       text NOT NULL CONSTRAINT storage_areas_name_length CHECK (char_length(name) BETWEEN 1 AND 200),
    kind       text NOT NULL CONSTRAINT storage_areas_kind_known CHECK (kind IN ('prefix', 'bucket')),
    bucket     text NOT NULL,
    -- creating -> ready -> deleting. Only ready areas are shown. The sweep moves on what stays in "creating", and
    -- removes what is in "deleting".
    state      text NOT NULL
               CONSTRAINT storage_areas_state_known CHECK (state IN ('creating', 'ready', 'deleting')),
    created_at timestamptz NOT NULL DEFAULT now(),
    changed_at timestamptz NOT NULL DEFAULT now(),
    -- Up to which key the sweep has compared rows and objects ('' = all of them), and when it was here last.
    swept_to   text COLLATE "C" NOT NULL DEFAULT '',
    swept_at   timestamptz NOT NULL DEFAULT '-infinity'
);

-- From "creating" on: whoever is refused has made no bucket yet.
CREATE UNIQUE INDEX storage_areas_name_is_unique ON storage_areas (owner, name) WHERE state <> 'deleting';
CREATE INDEX storage_areas_by_created_at ON storage_areas (owner, created_at, id);
CREATE INDEX storage_areas_by_swept_at ON storage_areas (swept_at, id);

-- What is known about each object. The row comes before the object and goes after it, so that an object without a row
-- is always rubbish.
CREATE TABLE storage_files (
    id           uuid PRIMARY KEY,
    area_id      uuid NOT NULL CONSTRAINT storage_files_area_exists REFERENCES storage_areas,
    key          text COLLATE "C" NOT NULL CONSTRAINT storage_files_key_is_unique UNIQUE, -- in the order of the store
    name         text NOT NULL CONSTRAINT storage_files_name_length CHECK (char_length(name) BETWEEN 1 AND 200),
    content_type text NOT NULL,
    size_bytes   bigint NOT NULL CONSTRAINT storage_files_size_not_negative CHECK (size_bytes >= 0),
    md5          text CONSTRAINT storage_files_md5_is_hex CHECK (md5 ~ '^[0-9a-f]{32}$'),
    part_bytes   bigint CONSTRAINT storage_files_parts_positive CHECK (part_bytes > 0), -- NULL: uploaded in one piece
    upload_id    text, -- of a multipart upload
    etag         text, -- what the store called the content when it was verified
    -- pending -> stored <-> lost; each of them -> deleting, which nobody sees any more.
    state        text NOT NULL DEFAULT 'pending'
                 CONSTRAINT storage_files_state_known CHECK (state IN ('pending', 'stored', 'lost', 'deleting')),
    created_by   text NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz NOT NULL, -- of the permission to upload; by it the sweep also orders its deletions
    stored_at    timestamptz,
    CONSTRAINT storage_files_stored_is_verified CHECK (state NOT IN ('stored', 'lost') OR stored_at IS NOT NULL)
);

-- One index per sort key of the list, with the primary key behind it.
CREATE INDEX storage_files_by_created_at ON storage_files (area_id, created_at, id);
CREATE INDEX storage_files_by_size ON storage_files (area_id, size_bytes, id);
CREATE INDEX storage_files_by_name ON storage_files (area_id, name, id);
-- What the sweep compares with the store, and what it ends.
CREATE INDEX storage_files_by_key ON storage_files (area_id, key);
CREATE INDEX storage_files_to_end ON storage_files (state, expires_at) WHERE state IN ('pending', 'deleting');

-- migrate:down
DROP TABLE storage_files;
DROP TABLE storage_areas;
