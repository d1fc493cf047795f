-- migrate:up
CREATE TABLE ai_users (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    tag        text NOT NULL CONSTRAINT ai_users_tag_length CHECK (char_length(tag) BETWEEN 2 AND 50),
    name       text NOT NULL CONSTRAINT ai_users_name_length CHECK (char_length(name) BETWEEN 1 AND 200),
    email      text NOT NULL CONSTRAINT ai_users_email_length CHECK (char_length(email) BETWEEN 3 AND 254),
    roles      text[] NOT NULL
               CONSTRAINT ai_users_have_a_role CHECK (cardinality(roles) > 0)
               CONSTRAINT ai_users_roles_known
               CHECK (roles <@ ARRAY ['admin', 'analyst', 'annotator', 'developer', 'viewer']),
    active     boolean NOT NULL DEFAULT true,
    attributes jsonb NOT NULL DEFAULT '{}'
               CONSTRAINT ai_users_attributes_are_an_object CHECK (jsonb_typeof(attributes) = 'object'),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- "Ada.L" and "ada.l" are one tag.
CREATE UNIQUE INDEX ai_users_tag_is_unique ON ai_users (lower(tag));

-- One index per sort key, with the primary key behind it: a page by cursor then reads only its own rows.
CREATE INDEX ai_users_by_created_at ON ai_users (created_at, id);
CREATE INDEX ai_users_by_name ON ai_users (name, id);
CREATE INDEX ai_users_by_tag ON ai_users (tag, id);
CREATE INDEX ai_users_by_role ON ai_users USING gin (roles);

-- Whoever takes an admin away locks all of these first.
CREATE INDEX ai_users_active_admins ON ai_users (id) WHERE active AND roles @> ARRAY ['admin'];

-- migrate:down
DROP TABLE ai_users;
