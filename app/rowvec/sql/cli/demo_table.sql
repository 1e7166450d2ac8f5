-- Purpose: the demo's table, kept between runs. Locks: none when it is there. Called by: demo.
CREATE TABLE IF NOT EXISTS public.stdlib (
  id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  title text   NOT NULL UNIQUE,
  body  text   NOT NULL
)
