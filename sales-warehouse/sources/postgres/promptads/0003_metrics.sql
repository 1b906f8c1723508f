CREATE TABLE ads.ad_daily (
    ad_id bigint NOT NULL REFERENCES ads.ads,
    day date NOT NULL,
    impressions bigint NOT NULL,
    clicks bigint NOT NULL,
    conversions bigint NOT NULL,
    cost numeric(14, 2) NOT NULL,
    currency text NOT NULL,
    reported_at timestamptz NOT NULL,
    corrected_at timestamptz,
    change_txid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (ad_id, day)
);
CALL ads.track_changes('ad_daily', 'ad_id', 'day');
COMMENT ON TABLE ads.ad_daily IS
    'Grain: one ad on one day on which it ran. Platforms report late and correct themselves: a row may come or change weeks after its day.';
COMMENT ON COLUMN ads.ad_daily.day IS 'Business date, the market''s calendar.';
COMMENT ON COLUMN ads.ad_daily.impressions IS 'Times shown, or messages delivered.';
COMMENT ON COLUMN ads.ad_daily.clicks IS 'At most impressions.';
COMMENT ON COLUMN ads.ad_daily.conversions IS 'As the platform counts them, at most clicks.';
COMMENT ON COLUMN ads.ad_daily.cost IS 'Spent that day, in currency.';
COMMENT ON COLUMN ads.ad_daily.currency IS 'ISO 4217; the campaign''s currency.';
COMMENT ON COLUMN ads.ad_daily.reported_at IS
    'When the platform reported first, UTC: mostly at the end of the day, at times days later.';
COMMENT ON COLUMN ads.ad_daily.corrected_at IS 'When the platform last corrected the row; null for never.';

CREATE TABLE ads.reactions (
    ad_id bigint NOT NULL REFERENCES ads.ads,
    day date NOT NULL,
    kind text NOT NULL CHECK (kind IN ('like', 'comment', 'share', 'hide')),
    reactions bigint NOT NULL,
    change_txid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (ad_id, day, kind)
);
CALL ads.track_changes('reactions', 'ad_id', 'day', 'kind');
COMMENT ON TABLE ads.reactions IS
    'Grain: one kind of reaction to one ad on one day; no row where there was none. Only channels where people can react: social, linkedin, influencers.';
COMMENT ON COLUMN ads.reactions.reactions IS 'How many people reacted so.';
