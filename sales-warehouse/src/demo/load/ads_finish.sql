-- Rows came with their ids: what is added later goes on behind them.
SELECT setval('ads.audiences_audience_id_seq', coalesce(max(audience_id), 0) + 1, false) FROM ads.audiences;
SELECT setval('ads.campaigns_campaign_id_seq', coalesce(max(campaign_id), 0) + 1, false) FROM ads.campaigns;
SELECT setval('ads.ads_ad_id_seq', coalesce(max(ad_id), 0) + 1, false) FROM ads.ads;
