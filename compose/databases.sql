-- PostgreSQL runs this once, on an empty volume: one database per owner of data.
CREATE DATABASE embeddings;
CREATE DATABASE warehouse;
CREATE DATABASE promptads;
CREATE DATABASE promptcrm;
