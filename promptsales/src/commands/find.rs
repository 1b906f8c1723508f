//! `find`: images for a description, or for a file of them.

use std::process::ExitCode;

use contracts::{GetContentRequest, Language};

use crate::{cli::FindArguments, commands::batch, output, session::Session};

/// Exit code when nothing fits, as `grep` has it.
const NOTHING_FITS: u8 = 1;

pub async fn run(session: &Session, options: &FindArguments) -> anyhow::Result<ExitCode> {
    if let Some(file) = &options.batch {
        return batch::run(file, async |question| {
            let language = question.lang.or(options.lang);
            let request = request(&question.text, options, language);
            session.get_content(&request).await
        })
        .await;
    }
    let request = request(&options.description.join(" "), options, options.lang);
    let answer = match session.get_content(&request).await? {
        Ok(answer) => answer,
        Err(problem) => return Err(output::refused(&problem)),
    };
    let mut out = output::out();
    if options.json {
        output::json(&mut out, &answer)?;
    } else {
        output::answer(&mut out, &answer)?;
    }
    // A program reads `no_match`; only a shell script needs the exit code.
    let code = if answer.no_match && !options.json {
        NOTHING_FITS
    } else {
        0
    };
    Ok(ExitCode::from(code))
}

fn request(text: &str, options: &FindArguments, language: Option<Language>) -> GetContentRequest {
    GetContentRequest {
        description: text.to_owned(),
        limit: Some(options.limit),
        language,
        filters: Default::default(),
        min_score: None,
    }
}
