//! The rules of the house: layers, the pages that name tests, planted faults and fixtures.

mod fixtures;
mod layers;
mod mutants;
mod procedure_reference;
mod reliability;
mod settings;
mod site;
