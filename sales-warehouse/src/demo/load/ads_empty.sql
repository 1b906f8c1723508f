SELECT NOT EXISTS (SELECT FROM ads.channels)
    AND NOT EXISTS (SELECT FROM ads.markets)
    AND NOT EXISTS (SELECT FROM ads.audiences)
    AND NOT EXISTS (SELECT FROM ads.campaigns)
