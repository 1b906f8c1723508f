//! What is done to the system while it is used.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use super::{dice::Dice, part::Part, system::System};

/// One fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    KillEmbedder,
    StopEmbedder,
    FreezeEmbedder,
    KillContentApi,
    StopContentApi,
    KillBoth,
    KillPostgres,
    StopPostgres,
    KillRedis,
    FlushRedis,
    FreezeRedis,
}

impl Fault {
    const ALL: [Self; 11] = [
        Self::KillEmbedder,
        Self::StopEmbedder,
        Self::FreezeEmbedder,
        Self::KillContentApi,
        Self::StopContentApi,
        Self::KillBoth,
        Self::KillPostgres,
        Self::StopPostgres,
        Self::KillRedis,
        Self::FlushRedis,
        Self::FreezeRedis,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::KillEmbedder => "embedder killed",
            Self::StopEmbedder => "embedder stopped",
            Self::FreezeEmbedder => "embedder frozen",
            Self::KillContentApi => "content-api killed",
            Self::StopContentApi => "content-api stopped",
            Self::KillBoth => "embedder and content-api killed",
            Self::KillPostgres => "PostgreSQL killed",
            Self::StopPostgres => "PostgreSQL stopped",
            Self::KillRedis => "Redis killed",
            Self::FlushRedis => "Redis emptied",
            Self::FreezeRedis => "Redis frozen",
        }
    }

    fn is_about_redis(self) -> bool {
        matches!(self, Self::KillRedis | Self::FlushRedis | Self::FreezeRedis)
    }
}

/// Does one thing after the other until the time is up; each once before any comes again. Whatever
/// happens, everything serves again in the end.
pub async fn inflict(
    system: &mut System,
    seed: u64,
    until: Instant,
) -> anyhow::Result<BTreeMap<&'static str, u64>> {
    let mut dice = Dice::new(seed, 1);
    let mut done = BTreeMap::new();
    let redis = system.has_redis();
    loop {
        let mut round: Vec<Fault> = Fault::ALL.to_vec();
        round.retain(|fault| redis || !fault.is_about_redis());
        dice.shuffle(&mut round);
        for fault in round {
            // Some calm, so that everything is exercised in health as well.
            let calm = Duration::from_millis(500 + 500 * dice.below(9) as u64);
            let left = until.saturating_duration_since(Instant::now());
            tokio::time::sleep(calm.min(left)).await;
            if Instant::now() >= until {
                return Ok(done);
            }
            let down = Duration::from_millis(250 * dice.below(8) as u64);
            tracing::info!(fault = fault.name(), ?down, "soak");
            carry_out(system, fault, down).await?;
            *done.entry(fault.name()).or_default() += 1;
        }
    }
}

async fn carry_out(system: &mut System, fault: Fault, down: Duration) -> anyhow::Result<()> {
    let parts: &[Part] = match fault {
        Fault::KillEmbedder | Fault::StopEmbedder | Fault::FreezeEmbedder => &[Part::Embedder],
        Fault::KillContentApi | Fault::StopContentApi => &[Part::ContentApi],
        Fault::KillBoth => &[Part::Embedder, Part::ContentApi],
        _ => &[],
    };
    match fault {
        Fault::KillEmbedder | Fault::KillContentApi | Fault::KillBoth => {
            for part in parts {
                system.kill_part(*part).await?;
            }
            restart(system, parts, down).await?;
        }
        Fault::StopEmbedder | Fault::StopContentApi => {
            for part in parts {
                system.stop_part(*part).await?;
            }
            restart(system, parts, down).await?;
        }
        // Longer than a search may take.
        Fault::FreezeEmbedder => {
            let frozen = Duration::from_secs(6) + down;
            system.freeze_part(Part::Embedder, frozen).await;
        }
        Fault::KillPostgres | Fault::StopPostgres => {
            system.end_postgres(fault == Fault::KillPostgres).await?;
            tokio::time::sleep(down).await;
            system.start_postgres().await?;
            system.restarts += 1;
        }
        Fault::KillRedis => {
            system.kill_redis().await?;
            tokio::time::sleep(down).await;
            system.start_redis().await?;
            system.restarts += 1;
        }
        Fault::FlushRedis => system.flush_redis().await?,
        Fault::FreezeRedis => system.freeze_redis(down).await,
    }
    Ok(())
}

async fn restart(system: &mut System, parts: &[Part], down: Duration) -> anyhow::Result<()> {
    tokio::time::sleep(down).await;
    for part in parts {
        system.start_part(*part).await?;
        system.restarts += 1;
    }
    Ok(())
}
