TRUNCATE ads.reactions, ads.ad_daily, ads.ads, ads.campaign_content, ads.campaigns, ads.audiences,
    ads.markets, ads.channels, ads.tombstones RESTART IDENTITY
