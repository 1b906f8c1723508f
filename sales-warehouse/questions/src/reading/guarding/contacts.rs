//! Contact data of people, in words that name a channel as well: "emails of customers" asks for addresses,
//! "customers from email" for a number.

use crate::reading::{
    lexicon::Sense,
    linking::Item,
    text::{Kind, Token},
    vocabulary::Role,
};

/// What a person is reached at; folded.
const ONE: &[&str] = &[
    "email",
    "mail",
    "correo",
    "address",
    "direccion",
    "phone",
    "telephone",
    "mobile",
    "cellphone",
    "telefono",
    "movil",
    "celular",
    "whatsapp",
];
const MANY: &[&str] = &[
    "emails",
    "mails",
    "correos",
    "addresses",
    "direcciones",
    "phones",
    "telephones",
    "mobiles",
    "cellphones",
    "telefonos",
    "moviles",
    "celulares",
    "whatsapps",
];
/// What may follow it and change nothing.
const QUALIFIERS: &[&str] = &[
    "address",
    "addresses",
    "number",
    "numbers",
    "list",
    "electronico",
    "electronicos",
    "electronica",
    "electronicas",
    "postales",
];
/// What may stand between a person and it.
const KINDS: &[&str] = &["personal", "private", "work", "business", "contact"];

const PERSON: &[&str] = &[
    "customer",
    "client",
    "buyer",
    "shopper",
    "lead",
    "prospect",
    "contact",
    "subscriber",
    "user",
    "person",
    "employee",
    "cliente",
    "comprador",
    "compradora",
    "suscriptor",
    "suscriptora",
    "prospecto",
    "contacto",
    "usuario",
    "usuaria",
    "persona",
    "empleado",
];
const PEOPLE: &[&str] = &[
    "customers",
    "clients",
    "buyers",
    "shoppers",
    "leads",
    "prospects",
    "contacts",
    "subscribers",
    "users",
    "people",
    "persons",
    "employees",
    "clientes",
    "compradores",
    "compradoras",
    "suscriptores",
    "suscriptoras",
    "prospectos",
    "contactos",
    "usuarios",
    "usuarias",
    "personas",
    "gente",
    "empleados",
];

const OF: &[&str] = &["of", "de", "del"];
/// They say whose it is where it is a plural: "emails for our leads", and not "email for leads".
const FROM: &[&str] = &["for", "from", "para"];
/// They lead to a channel: "clicks from email".
const THROUGH: &[&str] = &[
    "from", "by", "via", "through", "per", "in", "of", "on", "de", "del", "por", "en", "mediante",
    "desde",
];
const ARTICLES: &[&str] = &[
    "the", "our", "el", "la", "los", "las", "nuestro", "nuestros",
];
/// "Each of our customers."
const PARTITIVES: &[&str] = &["all", "each", "any", "some", "every", "uno", "una"];

/// Whether a question asks what people are reached at.
pub(super) fn asks_for_contacts(question: &str, tokens: &[Token], items: &[Item]) -> bool {
    let asked = Asked {
        question,
        tokens,
        items,
    };
    (0..tokens.len())
        .filter(|at| tokens[*at].is(ONE) || tokens[*at].is(MANY))
        .any(|at| asked.owned_after(at) || asked.owned_before(at))
}

struct Asked<'a> {
    question: &'a str,
    tokens: &'a [Token],
    items: &'a [Item],
}

impl Asked<'_> {
    /// "Emails of our customers", "correos para los leads".
    fn owned_after(&self, at: usize) -> bool {
        let joint = (at + 1..self.tokens.len())
            .find(|next| !self.tokens[*next].is(QUALIFIERS))
            .filter(|joint| {
                let loose = self.tokens[at].is(MANY) && !self.is_counted();
                self.tokens[*joint].is(OF) || loose && self.tokens[*joint].is(FROM)
            });
        joint.is_some_and(|joint| self.leads_to_people(joint + 1) && !self.is_channel(at))
    }

    /// Whether the noun phrase that begins at `start` is about people.
    fn leads_to_people(&self, start: usize) -> bool {
        for at in (start..self.tokens.len()).take(6) {
            let token = &self.tokens[at];
            let item = self.item(at);
            let is =
                |kind: fn(&Sense) -> bool| item.is_some_and(|item| item.senses.iter().any(kind));
            let metric = is(|sense| matches!(sense, Sense::Metric(_)));
            let dimension = is(|sense| matches!(sense, Sense::Dimension(_)));
            // "Customer segments" are no people, and a "lead conversion rate" is no lead.
            let last = item.is_none_or(|item| item.tokens.end == at + 1);
            if token.is(PEOPLE) || token.is(PERSON) && last {
                return metric || !dimension;
            }
            let joins = token.is(OF) || token.is(THROUGH) || token.is(FROM);
            let partitive = at > start && self.tokens[at - 1].is(PARTITIVES);
            let timed = item.is_some_and(|item| item.time.is_some() || item.has(Role::And));
            // "New" and "active" belong to the people that they stand before.
            let whole = item.is_some_and(|item| {
                self.tokens[item.tokens.clone()]
                    .iter()
                    .any(|token| token.is(PEOPLE) || token.is(PERSON))
            });
            if token.kind == Kind::Mark
                || joins && !partitive
                || timed
                || (metric || dimension) && !whole
            {
                return false;
            }
        }
        false
    }

    /// Whether what stands before says that it is a channel: "revenue from email of new customers".
    fn is_channel(&self, at: usize) -> bool {
        let mut start = self.start(at);
        while start > 0 && self.tokens[start - 1].is(ARTICLES) {
            start -= 1;
        }
        let Some(before) = start.checked_sub(1) else {
            return false;
        };
        let Some(item) = self.item(before) else {
            return false;
        };
        if item.has(Role::List) {
            return false;
        }
        if self.tokens[before].is(THROUGH) {
            return self
                .items
                .iter()
                .take_while(|item| item.tokens.start < before)
                .any(is_measured);
        }
        // "Social and email of leads" are two channels.
        let joins = item.has(Role::And) || item.has(Role::Or) || item.has(Role::Versus);
        let other = joins
            && before
                .checked_sub(1)
                .and_then(|other| self.item(other))
                .is_some_and(|other| {
                    other
                        .senses
                        .iter()
                        .any(|sense| matches!(sense, Sense::Member(_)))
                });
        other || is_measured(item)
    }

    /// "Customers' emails", "a lead's e-mail", "client emails".
    fn owned_before(&self, at: usize) -> bool {
        let mut start = self.start(at);
        if start > 0 && self.tokens[start - 1].is(KINDS) && !self.is_genitive(start) {
            start -= 1;
        }
        let genitive = self.is_genitive(start);
        let Some(owner) = start.checked_sub(1) else {
            return false;
        };
        if !(self.tokens[owner].is(PEOPLE) || self.tokens[owner].is(PERSON)) {
            return false;
        }
        if genitive {
            return true;
        }
        // The model calls a kind of interaction so: it is counted, and can't be listed.
        let named = self
            .item(at)
            .is_some_and(|item| item.tokens.contains(&owner) && !item.has(Role::Personal));
        let listed = self.items.iter().any(|item| item.has(Role::List));
        self.tokens[at].is(MANY) && !self.is_counted() && (listed || !named)
    }

    /// Whether the word before the token at `at` ends in an apostrophe, or in one and an "s".
    fn is_genitive(&self, at: usize) -> bool {
        at.checked_sub(1)
            .and_then(|before| {
                let ending = self.tokens[before].span.start..self.tokens[at].span.start;
                self.question.get(ending)
            })
            .is_some_and(|word| word.contains(['\'', '’', '´']))
    }

    /// Whether something says that a number is wanted.
    fn is_counted(&self) -> bool {
        let roles = [
            Role::HowMany,
            Role::By,
            Role::Share,
            Role::Trend,
            Role::Performance,
            Role::Day,
            Role::Week,
            Role::Month,
            Role::Quarter,
            Role::Year,
        ];
        self.items
            .iter()
            .any(|item| roles.iter().any(|role| item.has(*role)))
    }

    /// Where the word at `at` begins: "e-mail" is two tokens.
    fn start(&self, at: usize) -> usize {
        let split = at > 0 && self.tokens[at].joined && self.tokens[at - 1].is(&["e"]);
        at - usize::from(split)
    }

    fn item(&self, at: usize) -> Option<&Item> {
        self.items.iter().find(|item| item.tokens.contains(&at))
    }
}

fn is_measured(item: &Item) -> bool {
    item.has(Role::Share)
        || item.senses.iter().any(|sense| {
            matches!(
                sense,
                Sense::Metric(_) | Sense::Ranked(..) | Sense::Dimension(_)
            )
        })
}
