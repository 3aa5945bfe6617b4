//! What only a person may say about the unit of kept samples, while no server runs: that it was another one all along, or that they be
//! converted. Refuses to guess which of both is meant.

use std::path::Path;

use serde::Serialize;
use twin_historian::historian::KeepError;
use twin_model::ValueKind;
use twin_model::unit::{self, Conversion};

use super::by_hand::{Allowed, find, may_merge, open, transfer};
use super::overlap::Instants;
use super::series::{One, Series};
use super::sqlite::SqliteHistorian;
use super::units::{free_name, learn};
use super::{damage, fsck};
use crate::GatewayError;

/// Longest unit, in letters: more is a sentence.
const LONGEST: usize = 64;

/// What [`relabel`] did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Relabelled {
    /// Id of the series that has the samples now.
    pub id: String,
    /// Unit that they had; none where nobody wrote it down.
    pub from: Option<String>,
    /// Unit that they have.
    pub unit: String,
    /// Samples of the series, each once.
    pub samples: u64,
    /// Whether values were computed anew.
    pub converted: bool,
    /// Instants at which another reading of the same signal was there, of which the later received stayed.
    pub overwritten: u64,
}

/// What is asked of [`relabel`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct How {
    /// Values are computed anew; otherwise they stay what they are and only their unit is another.
    pub convert: bool,
    /// Of two different samples of one instant one may go.
    pub overwrite: bool,
}

/// Says in which unit the samples of a series are. Where the signal has readings in that unit already, both become one series. A stop
/// in the middle of it leaves every sample in one of the two, in that one's unit; the same call for what is left finishes.
///
/// # Errors
/// Where there is no such series, the unit is none, does not follow from the one before, a server uses the folder, or it cannot be
/// written.
pub fn relabel(folder: &Path, id: &str, to: &str, how: How) -> Result<Relabelled, GatewayError> {
    let (mut keeper, path, _lock) = open(folder)?;
    let failed = |source| damage::in_file(&path, source);
    let refused = |why: String| GatewayError::Series { folder: folder.to_owned(), why };
    let to = to.trim();
    if to.is_empty() || to.chars().any(char::is_control) || to.chars().count() > LONGEST {
        return Err(refused(format!("{} is no unit; write one like °C or l/min", twin_table::quoted(to))));
    }
    let mut series = keeper.series().map_err(failed)?;
    learn(&mut series, folder);
    let number = find(&series, folder, id)?;
    let Some(one) = series.all().get(number as usize).cloned() else { return Err(refused(format!("there is no '{id}'"))) };
    let own = Instants::read(&keeper, number).map_err(failed)?;
    let scale = if how.convert { conversion(&one, to, &own.kinds()).map_err(refused)? } else { None };
    let converted = scale.is_some();
    let done = |id: &str, overwritten| Relabelled {
        id: id.to_owned(),
        from: one.unit.clone(),
        unit: to.to_owned(),
        samples: own.len(),
        converted,
        overwritten,
    };
    let signal = one.apart.as_deref().unwrap_or(id);
    let other = home(&series, number, signal, to);
    let overwritten = match other {
        Some(other) => {
            let (lost, name) = joining(&keeper, &series, (id, &own), other).map_err(failed)?.map_err(refused)?;
            if lost > 0 && !how.overwrite {
                return Err(refused(format!(
                    "{id} and {name} have different readings at {lost} of the same instants; the later received of each two stays, the \
                     other is gone for good; say --yes to do it (`orrery backup` copies first)"
                )));
            }
            lost
        }
        None => 0,
    };
    let target = match other {
        None if scale.is_none() => {
            settle(&mut series, number, signal, to);
            keeper.set_series(&series, None).map_err(failed)?;
            return Ok(done(series.all().get(number as usize).map_or(id, |one| &one.id), 0));
        }
        Some(other) => other,
        None => another(&mut series, number, signal, to),
    };
    if let Some(home) = series.one_mut(target) {
        home.unit = Some(to.to_owned());
    }
    // Before any sample moves: whoever reads in between finds each under the unit that it is in.
    keeper.set_series(&series, None).map_err(failed)?;
    transfer(&mut keeper, number, Some(target), scale).map_err(failed)?;
    hand_over_name(&mut series, number, target, signal);
    keeper.set_series(&series, None).map_err(failed)?;
    fsck::rebuild(&mut keeper).map_err(failed)?;
    Ok(done(series.all().get(target as usize).map_or(id, |one| &one.id), overwritten))
}

/// A series without samples has no name any more; where that was the signal's own, the other one has it now.
fn hand_over_name(series: &mut Series, emptied: u32, target: u32, signal: &str) {
    if let Some(left) = series.one_mut(emptied) {
        (left.id, left.apart) = (String::new(), None);
    }
    if series.find(signal).is_none()
        && let Some(home) = series.one_mut(target)
    {
        (home.id, home.apart) = (signal.to_owned(), None);
    }
}

/// At how many instants two series that become one say different things, and the name of the other; or why they never become one.
fn joining(
    keeper: &SqliteHistorian,
    series: &Series,
    (id, own): (&str, &Instants),
    other: u32,
) -> Result<Result<(u64, String), String>, KeepError> {
    let there = Instants::read(keeper, other)?;
    let one = series.all().get(other as usize);
    let name = one.map_or("", |one| &one.id);
    let may = may_merge((id, own), (name, &there, one.map(|one| one.kind)), 0, Allowed { merge: true, overwrite: true });
    Ok(may.map(|()| (own.contradictions(&there), name.to_owned())))
}

/// How its values become values of another unit; none where they are.
fn conversion(one: &One, to: &str, kinds: &[ValueKind]) -> Result<Option<Conversion>, String> {
    let id = &one.id;
    let from = one.unit.as_deref().unwrap_or_default();
    if from.is_empty() {
        return Err(format!("nobody wrote down in which unit {id} is; say it first: orrery history unit DIR {id} UNIT"));
    }
    if unit::alike(from, to) {
        return Ok(None);
    }
    if kinds.iter().any(|kind| *kind != ValueKind::Float) {
        return Err(format!("{id} has values that are no floats, and only these are converted"));
    }
    let how = Conversion::between(from, to);
    how.map(Some).ok_or_else(|| {
        format!(
            "{id} is in {from}, and how that becomes {to} is not known; export it, convert it there and import it, or leave out --convert \
             where it was {to} all along"
        )
    })
}

/// The series of a signal that has its values in a unit, besides a number; one without samples whose unit is not known is as good.
fn home(series: &Series, number: u32, signal: &str, unit: &str) -> Option<u32> {
    let is = |at: &u32, one: &One| {
        let of = one.apart.as_deref().unwrap_or(&one.id) == signal;
        *at != number && of && !one.id.is_empty() && one.fits(unit)
    };
    series.all().iter().enumerate().map(|(at, one)| (at as u32, one)).find(|(at, one)| is(at, one)).map(|(at, _)| at)
}

/// A number has another unit from now on, and the id of its signal where nobody else has it.
fn settle(series: &mut Series, number: u32, signal: &str, to: &str) {
    let apart = series.find(signal).is_some_and(|own| own != number);
    let name = if apart { free_name(signal, to, &|name| series.find(name).is_some()) } else { signal.to_owned() };
    if let Some(one) = series.one_mut(number) {
        one.unit = Some(to.to_owned());
        one.id = name;
        one.apart = apart.then(|| signal.to_owned());
    }
}

/// A new number for the values of a signal in another unit. It takes the id where the number that it follows has it, or nobody.
fn another(series: &mut Series, number: u32, signal: &str, to: &str) -> u32 {
    let free = |series: &Series, unit: &str| free_name(signal, unit, &|name| series.find(name).is_some());
    let own = series.find(signal);
    if own == Some(number) {
        let unit = series.all().get(number as usize).and_then(|one| one.unit.clone()).unwrap_or_default();
        let name = free(series, &unit);
        if let Some(one) = series.one_mut(number) {
            (one.id, one.apart) = (name, Some(signal.to_owned()));
        }
    }
    let apart = own.is_some_and(|own| own != number);
    let mut new = One::new(ValueKind::Float, if apart { free(series, to) } else { signal.to_owned() });
    new.apart = apart.then(|| signal.to_owned());
    series.push(new);
    series.all().len() as u32 - 1
}
