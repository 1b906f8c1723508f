-- The campaign no longer lists it: that is a change of the campaign too.
UPDATE campaigns
SET body = jsonb_set(body, '{content_ids}', (body -> 'content_ids') - $2::text),
    revision = revision + 1, updated_at = $3, position = $4
WHERE id = $1
