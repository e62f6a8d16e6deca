use crate::error::{Error, Result};
use crate::id::CommitId;
use crate::path::RepoPath;
use crate::repo::{Objects, Repo};
pub(crate) fn upstream_ahead(
    _r: &Repo,
    _n: &str,
    _t: CommitId,
    _p: &RepoPath,
) -> Result<Option<(String, Vec<CommitId>)>> {
    Ok(None)
}
pub(crate) fn commits_touching_since(
    objects: &Objects,
    tip: CommitId,
    since: CommitId,
    paths: &[RepoPath],
) -> Result<Vec<CommitId>> {
    let failed = |error: gix::Error| Error::internal("cannot walk history", error);
    let walk = gix::traverse::commit::topo::Builder::from_iters(
        &objects.gix().objects,
        [tip.gix()],
        Some(vec![since.gix()]),
    )
    .build()
    .map_err(failed)?;
    let mut out = Vec::new();
    for info in walk {
        let info = info.map_err(failed)?;
        let c = objects.commit(info.id.into())?;
        let mut touches = !c.parents.is_empty();
        for p in &c.parents {
            let pt = objects.commit(*p)?.tree;
            let mut any = false;
            for path in paths {
                any |= objects.entry_at(pt, path)? != objects.entry_at(c.tree, path)?;
            }
            touches &= any;
        }
        if touches {
            out.push(c.id)
        }
    }
    Ok(out)
}
impl Repo {
    pub(crate) fn resolve_commits(&self, specs: &[String]) -> Result<Vec<CommitId>> {
        let mut out = Vec::new();
        for s in specs {
            if let Some((a, b)) = s.split_once("..") {
                let (a, b) = (self.resolve_commit(a)?, self.resolve_commit(b)?);
                let objects = self.objects();
                let failed = |error: gix::Error| Error::internal("cannot walk history", error);
                let walk = gix::traverse::commit::topo::Builder::from_iters(
                    &objects.gix().objects,
                    [b.gix()],
                    Some(vec![a.gix()]),
                )
                .build()
                .map_err(failed)?;
                for i in walk {
                    out.push(i.map_err(failed)?.id.into());
                }
            } else {
                out.push(self.resolve_commit(s)?);
            }
        }
        Ok(out)
    }
}
