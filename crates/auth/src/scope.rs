//! Scopes as types, for [`crate::Authorized`].

use contracts::Scope;

/// A type that stands for one scope.
pub trait RequiredScope {
    /// The scope that a token must carry.
    const SCOPE: Scope;
}

/// `content:read`.
#[derive(Debug)]
pub enum ContentRead {}

/// `content:write`.
#[derive(Debug)]
pub enum ContentWrite {}

/// `content:approve`.
#[derive(Debug)]
pub enum ContentApprove {}

/// `campaigns:write`.
#[derive(Debug)]
pub enum CampaignsWrite {}

/// `sales:read`.
#[derive(Debug)]
pub enum SalesRead {}

/// `index:write`.
#[derive(Debug)]
pub enum IndexWrite {}

impl RequiredScope for ContentRead {
    const SCOPE: Scope = Scope::ContentRead;
}

impl RequiredScope for ContentWrite {
    const SCOPE: Scope = Scope::ContentWrite;
}

impl RequiredScope for ContentApprove {
    const SCOPE: Scope = Scope::ContentApprove;
}

impl RequiredScope for CampaignsWrite {
    const SCOPE: Scope = Scope::CampaignsWrite;
}

impl RequiredScope for SalesRead {
    const SCOPE: Scope = Scope::SalesRead;
}

impl RequiredScope for IndexWrite {
    const SCOPE: Scope = Scope::IndexWrite;
}
