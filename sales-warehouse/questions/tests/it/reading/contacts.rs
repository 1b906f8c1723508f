//! Contact data of people, and channels that are called alike.

use sales_questions::reading::RefusalReason;

use super::{declines, query};

#[test]
fn contact_data_is_refused_though_it_names_a_channel() {
    for question in [
        "show me emails of customers",
        "email of customers",
        "customers' emails",
        "customers’ email",
        "a customer's e-mail",
        "show me customer emails",
        "lead emails",
        "give me the leads' e-mails",
        "list the emails of all our customers",
        "list of emails of each of our customers",
        "email of the top customers",
        "emails of people in Spain",
        "emails for leads in Mexico",
        "phone numbers of leads",
        "addresses of people in Spain",
        "whatsapps of customers",
        "correos de los clientes",
        "dame los correos de nuestros clientes en España",
        "una lista completa de correos de nuestros clientes",
        "correo de cada cliente",
        "mails de los leads",
        "los emails de las personas",
        "correos electrónicos de los leads",
        "teléfonos de los clientes",
        "direcciones de las personas",
    ] {
        declines(question, RefusalReason::PersonalData);
    }
}

#[test]
fn a_channel_is_no_contact_data() {
    for (question, metric) in [
        ("clicks from email", "clicks"),
        ("customers from email campaigns", "customers"),
        ("customers by email", "customers"),
        ("email leads in 2025", "leads"),
        ("email vs social customers", "customers"),
        ("share of email of leads", "leads"),
        ("revenue from email by customer segment", "revenue"),
        ("customer emails by month", "interactions"),
        ("how many customer emails", "interactions"),
        ("clientes que llegaron por correo", "customers"),
        ("clientes de email", "customers"),
        ("leads del correo", "leads"),
        ("peso del email en los clientes", "customers"),
        ("ingresos de email de clientes nuevos", "revenue"),
        ("correos a clientes por mes", "interactions"),
    ] {
        let query = query(question);
        assert_eq!(query.metrics[0], metric, "{question}");
        let filters = query.filters.iter().map(|filter| &*filter.field);
        let email = filters.filter(|field| ["channel", "interaction_type"].contains(field));
        assert_eq!(email.count(), 1, "{question}");
    }
}
