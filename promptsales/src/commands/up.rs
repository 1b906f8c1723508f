//! `up`: start everything, show that it works, keep serving.

use std::{env, io::Write, path::Path, process::ExitCode};

use anyhow::bail;
use contracts::{GetContentRequest, Language};
use serde_json::json;
use service_kit::listen::shutdown_signal;

use crate::{
    cli::{Global, UpArguments},
    embedded::{Embedded, SalesStart, Settings, mcp_resource},
    home::Home,
    output::{self, Progress},
    session::Session,
};

/// One example in each language.
const EXAMPLES: [(Language, &str); 2] = [
    (
        Language::Es,
        "zapatillas para salir a correr cuando sale el sol",
    ),
    (Language::En, "a lonely lighthouse above stormy waves"),
];

/// Serves until Ctrl-C.
pub async fn run(global: &Global, options: &UpArguments) -> anyhow::Result<ExitCode> {
    let home = Home::resolve(global.data_dir.clone())?;
    let lock = match home.try_lock()? {
        Ok(lock) => lock,
        Err(holder) => bail!(
            "process {holder} already serves {}; use it (promptsales find …), stop it, or name another home with --data-dir",
            home.path().display()
        ),
    };
    let settings = Settings {
        home: home.clone(),
        cache_dir: global.cache_dir.clone(),
        port_base: options.port_base,
        publish: true,
        sales: SalesStart::First,
    };
    let progress = Progress::shown();
    let mut interrupted = std::pin::pin!(shutdown_signal());
    // Ctrl-C must work during a long first start too.
    let mut system = tokio::select! {
        started = Embedded::start(settings, lock, &progress) => started?,
        _ = &mut interrupted => return Ok(ExitCode::from(130)),
    };
    let shown = show(&home, &system, options).await;
    let outcome = match shown {
        Ok(()) => tokio::select! {
            _ = &mut interrupted => {
                progress.note("stopping");
                Ok(())
            }
            error = system.broken() => Err(error),
        },
        Err(error) => Err(error),
    };
    let step = progress.step("Stopped");
    let stopped = system.stop().await;
    step.done("");
    outcome?;
    stopped?;
    Ok(ExitCode::SUCCESS)
}

async fn show(home: &Home, system: &Embedded, options: &UpArguments) -> anyhow::Result<()> {
    let session = Session::connect(home.clone(), system.endpoints().clone(), None)?;
    let mut out = output::out();
    if !options.no_examples {
        examples(&mut out, &session).await?;
    }
    guide(&mut out, home, system)
}

/// Real queries through the real API with a real token.
async fn examples(out: &mut impl Write, session: &Session) -> anyhow::Result<()> {
    for (language, description) in EXAMPLES {
        let request = GetContentRequest {
            description: description.to_owned(),
            limit: Some(3),
            language: Some(language),
            filters: Default::default(),
            min_score: None,
        };
        writeln!(out, "\n“{description}”")?;
        match session.get_content(&request).await? {
            Ok(answer) => output::answer(out, &answer)?,
            Err(problem) => return Err(output::refused(&problem)),
        }
    }
    Ok(())
}

fn guide(out: &mut impl Write, home: &Home, system: &Embedded) -> anyhow::Result<()> {
    let endpoints = system.endpoints();
    let program = program(home)?;
    let mcp_url = mcp_resource(endpoints)?;
    let stdio = json!({ "mcpServers": { "promptsales": {
        "command": env::current_exe()?, "args": ["--data-dir", home.path(), "mcp"],
    }}});
    let http = json!({ "mcpServers": { "promptsales": {
        "type": "http", "url": mcp_url,
        "headers": { "Authorization": format!("Bearer <output of: {program} token --mcp>") },
    }}});
    let api = endpoints.content_api.join("/v1/getContent")?;
    writeln!(out, "\nPromptSales is serving\n")?;
    writeln!(
        out,
        "  content API      {}  (OpenAPI: /openapi.json)",
        endpoints.content_api
    )?;
    writeln!(out, "  MCP gateway      {mcp_url}")?;
    writeln!(out, "  embedder         {}", endpoints.embedder)?;
    writeln!(out, "  sales warehouse  {}", endpoints.sales_warehouse)?;
    writeln!(
        out,
        "  tokens           {}",
        endpoints.identity.join("/token")?
    )?;
    writeln!(out, "\nSearch from another terminal:\n")?;
    writeln!(out, "  {program} find \"perro jugando en el parque\"\n")?;
    writeln!(out, "or with curl:\n")?;
    writeln!(
        out,
        "  curl -s {api} -H \"Authorization: Bearer $({program} token)\" \\\n    \
         -H 'Content-Type: application/json' \\\n    \
         -d '{{\"description\": \"a dog plays in the park\", \"limit\": 3}}'\n"
    )?;
    writeln!(out, "MCP clients, over stdio:\n\n  {stdio}\n")?;
    writeln!(out, "or over HTTP:\n\n  {http}\n")?;
    writeln!(out, "Ctrl-C stops everything, PostgreSQL included.")?;
    out.flush()?;
    Ok(())
}

/// How to call this very program for this very home, ready to paste.
fn program(home: &Home) -> anyhow::Result<String> {
    let quoted = |path: &Path| {
        let text = path.display().to_string();
        if text
            .chars()
            .all(|c| c.is_alphanumeric() || "/._-".contains(c))
        {
            text
        } else {
            format!("'{}'", text.replace('\'', r"'\''"))
        }
    };
    let mut program = quoted(&env::current_exe()?);
    if home.path()
        != Home::resolve(None)
            .map(|usual| usual.path().to_owned())
            .unwrap_or_default()
    {
        program = format!("{program} --data-dir {}", quoted(home.path()));
    }
    Ok(program)
}
