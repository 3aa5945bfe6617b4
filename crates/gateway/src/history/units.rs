//! In which unit the samples of each series are. Where a site has a signal in another unit, the series is set apart under a name of its
//! own and the signal gets a new one: no value ever stands under a unit that it was not written in. Refuses to convert.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use twin_historian::chunk;
use twin_historian::historian::{Historian as _, KeepError, LEVELS, Position};
use twin_model::{Model, Signal, SignalIndex, TimeRange, ValueKind, unit};

use super::by_hand::samples_of;
use super::database::{Database, PUBLICATION, of_page};
use super::series::{Numbers, One, Series};
use super::sqlite::SqliteHistorian;
use crate::revisions::earlier;
use crate::stores::ALWAYS;

/// Note with the units, beside the table `series`, which programs from before units read as well.
pub(super) const UNITS: &str = "units";
/// Letters of a unit in the name of a series that is set apart.
const MARK: usize = 24;

/// Samples that are kept in another unit than the one that they are asked for in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Apart {
    /// Id of the signal.
    pub id: String,
    /// Its unit where it was asked for.
    pub asked: String,
    /// Id under which the samples are kept.
    pub series: String,
    /// Their unit.
    pub kept: String,
}

/// Whether the samples of a signal that come into a data folder are kept as this model has them, unit and kind: then whoever writes
/// there knows it so. False where the folder can't be read.
pub(crate) fn taken_up(folder: &Path, model: &Model) -> impl Fn(SignalIndex) -> bool {
    let read = || Database::open_to_read(folder).ok()?.keeper().series().ok();
    let mut of: BTreeMap<String, (String, ValueKind)> = BTreeMap::new();
    for one in read().iter().flat_map(Series::all).filter(|one| one.apart.is_none()) {
        of.insert(one.id.clone(), (one.unit.clone().unwrap_or_default(), one.kind));
    }
    let alike = |signal: &Signal| {
        of.get(signal.id.as_str())
            .is_some_and(|(own, kind)| *kind == signal.value_kind && (own == &signal.unit.0 || unit::alike(own, &signal.unit.0)))
    };
    let all: Vec<bool> = model.signals().iter().map(alike).collect();
    move |signal| all.get(signal.at()).copied().unwrap_or_default()
}

impl One {
    /// Whether its samples may be shown in a unit: it is theirs, or nobody said in which they are, or in which they shall be.
    pub(super) fn fits(&self, asked: &str) -> bool {
        let own = self.unit.as_deref().unwrap_or_default();
        own.is_empty() || asked.is_empty() || unit::alike(own, asked)
    }
}

impl Series {
    /// The units that are known, one number a line with its unit and, where it is set apart, the id of its signal, behind a checksum.
    /// None where no unit is known.
    pub(super) fn units_text(&self) -> Option<String> {
        let line = |(number, one): (usize, &One)| {
            let unit = one.unit.as_ref()?;
            let line = match &one.apart {
                Some(id) => serde_json::to_string(&(number, unit, id)),
                None => serde_json::to_string(&(number, unit)),
            };
            line.ok()
        };
        let lines: Vec<String> = self.all().iter().enumerate().filter_map(line).collect();
        (!lines.is_empty()).then(|| {
            let lines = lines.join("\n");
            format!("{:08x}\n{lines}", crc32fast::hash(lines.as_bytes()))
        })
    }

    /// Takes in what [`Self::units_text`] wrote; nothing of it where it is not what was written.
    pub(super) fn read_units(&mut self, text: &str) {
        let Some((crc, lines)) = text.split_once('\n') else { return };
        if u32::from_str_radix(crc, 16) != Ok(crc32fast::hash(lines.as_bytes())) {
            return;
        }
        for line in lines.lines() {
            let apart = serde_json::from_str::<(u32, String, String)>(line).map(|(number, unit, id)| (number, unit, Some(id)));
            let plain = || serde_json::from_str::<(u32, String)>(line).map(|(number, unit)| (number, unit, None));
            let Ok((number, unit, id)) = apart.or_else(|_| plain()) else { continue };
            if let Some(one) = self.one_mut(number) {
                (one.unit, one.apart) = (Some(unit), id);
            }
        }
    }

    /// Every signal of a site has a number after this: those seen before keep theirs while their unit stays. `used` says which of some
    /// numbers have samples: one that has none takes any unit.
    pub(crate) fn number(&mut self, model: &Model, used: &mut dyn FnMut(&BTreeSet<u32>) -> BTreeSet<u32>) -> Numbers {
        let mut names = Names::of(self);
        let asked = model.signals().iter().filter_map(|signal| {
            let number = *names.own.get(signal.id.as_str())?;
            self.all().get(number as usize).filter(|one| !one.fits(&signal.unit.0)).map(|_| number)
        });
        let asked: BTreeSet<u32> = asked.collect();
        let used = if asked.is_empty() { BTreeSet::new() } else { used(&asked) };
        let mut of = Vec::with_capacity(model.signals().len());
        for signal in model.signals() {
            let (id, unit) = (signal.id.as_str(), signal.unit.0.as_str());
            let own = names.own.get(id).copied().filter(|number| asked.contains(number));
            // One without samples makes way only for one that has some.
            if let Some(number) = own.filter(|number| used.contains(number) || self.waits(id, unit, &names).is_some()) {
                self.set_apart(number, id, &mut names, model);
            }
            let number = match names.own.get(id).copied().or_else(|| self.back(id, unit, &mut names)) {
                Some(number) => number,
                None => self.begin(id, &mut names, model),
            };
            if let Some(one) = self.one_mut(number) {
                one.kind = signal.value_kind;
                // One that says nothing takes nothing back: what was in °C is no °F after a year without a unit.
                if !unit.is_empty() || one.unit.is_none() {
                    one.unit = Some(unit.to_owned());
                }
            }
            of.push(number);
        }
        Numbers::new(of, self.all().len() as u32)
    }

    /// The series of an id leaves it for a name with its unit.
    fn set_apart(&mut self, number: u32, id: &str, names: &mut Names, model: &Model) {
        let unit = self.one_mut(number).and_then(|one| one.unit.clone()).unwrap_or_default();
        let name = names.free(id, &unit, model);
        if let Some(one) = self.one_mut(number) {
            (one.id, one.apart) = (name.clone(), Some(id.to_owned()));
        }
        names.own.remove(id);
        names.apart.insert(name, number);
        names.of.entry(id.to_owned()).or_default().push(number);
    }

    /// Which of those that were set apart from an id is in a unit.
    fn waits(&self, id: &str, unit: &str, names: &Names) -> Option<usize> {
        let fits = |number: &u32| self.all().get(*number as usize).is_some_and(|one| one.fits(unit));
        names.of.get(id)?.iter().position(fits)
    }

    /// One that was set apart from this id, in this unit, gets the id back.
    fn back(&mut self, id: &str, unit: &str, names: &mut Names) -> Option<u32> {
        let at = self.waits(id, unit, names)?;
        let number = names.of.get_mut(id)?.remove(at);
        if let Some(one) = self.one_mut(number) {
            names.apart.remove(&one.id);
            (one.id, one.apart) = (id.to_owned(), None);
        }
        names.own.insert(id.to_owned(), number);
        Some(number)
    }

    /// A new number. Where a series that is set apart happens to have that very name it gets another.
    fn begin(&mut self, id: &str, names: &mut Names, model: &Model) -> u32 {
        if let Some(number) = names.apart.remove(id)
            && let Some(one) = self.one_mut(number)
        {
            one.id = names.free(one.apart.as_deref().unwrap_or_default(), one.unit.as_deref().unwrap_or_default(), model);
            names.apart.insert(one.id.clone(), number);
        }
        let number = self.all().len() as u32;
        self.push(One::new(twin_model::ValueKind::Float, id.to_owned()));
        names.own.insert(id.to_owned(), number);
        number
    }

    /// What is set apart of the signals of a site, after [`Self::number`]. `on_disk` has the names that a person can type.
    pub(super) fn apart(&self, model: &Model, on_disk: &Self) -> Vec<(u32, Apart)> {
        let one = |(number, one): (usize, &One)| {
            let id = one.apart.as_ref()?;
            let signal = model.signal(model.find_signal(id)?);
            let series = on_disk.all().get(number).unwrap_or(one).id.clone();
            let kept = one.unit.clone().unwrap_or_default();
            let mut asked = signal.unit.0.clone();
            if asked.is_empty() {
                // The site says nothing: it is shown in what its own series has.
                asked = self.find(id).and_then(|own| self.all().get(own as usize)?.unit.clone()).unwrap_or_default();
            }
            Some((number as u32, Apart { id: id.clone(), asked, series, kept }))
        };
        self.all().iter().enumerate().filter_map(one).collect()
    }
}

/// Who has which name.
struct Names {
    /// Numbers by id, of what stands under its own.
    own: BTreeMap<String, u32>,
    /// Numbers by name, of what is set apart.
    apart: BTreeMap<String, u32>,
    /// The same by the id of the signal.
    of: BTreeMap<String, Vec<u32>>,
}

impl Names {
    fn of(series: &Series) -> Self {
        let mut names = Self { own: BTreeMap::new(), apart: BTreeMap::new(), of: BTreeMap::new() };
        for (number, one) in series.all().iter().enumerate().filter(|(_, one)| !one.id.is_empty()) {
            let number = number as u32;
            match &one.apart {
                Some(id) => {
                    names.apart.insert(one.id.clone(), number);
                    names.of.entry(id.clone()).or_default().push(number);
                }
                None => {
                    names.own.entry(one.id.clone()).or_insert(number);
                }
            }
        }
        names
    }

    fn free(&self, id: &str, unit: &str, model: &Model) -> String {
        let taken =
            |name: &str| self.own.contains_key(name) || self.apart.contains_key(name) || model.find_signal(name).is_some();
        free_name(id, unit, &taken)
    }
}

/// A name that nobody has, made of id and unit.
pub(super) fn free_name(id: &str, unit: &str, taken: &dyn Fn(&str) -> bool) -> String {
    let mark = |c: char| if c.is_whitespace() || c.is_control() { '_' } else { c };
    let mut name = format!("{id}[{}]", unit.trim().chars().take(MARK).map(mark).collect::<String>());
    while taken(&name) {
        name.push('\'');
    }
    name
}

impl Apart {
    /// What a person should know of these, and what to do; `folder` is the data folder, `today` the site as its file is now. Names
    /// three, and how many more there are.
    pub fn words(all: &[Self], today: &Model, folder: &Path) -> Vec<String> {
        const FEW: usize = 3;
        let folder = folder.display();
        let few = all.iter().take(FEW).map(|one| {
            let Self { id, asked, series, kept } = one;
            // Asked for as it was then: what is kept is right as it is.
            if today.find_signal(id).is_some_and(|signal| unit::alike(&today.signal(signal).unit.0, kept)) {
                return format!(
                    "{id} was in {asked} then, and its readings are kept in {kept}, as the site has it now: they are not shown by the site of \
                     then; --judge-by now shows them"
                );
            }
            let convert = if unit::Conversion::between(kept, asked).is_some() {
                ", or the same with --convert to have them converted".to_owned()
            } else {
                String::new()
            };
            format!(
                "{id} is in {asked}, and readings of it are kept in {kept}: these are not shown, because nothing is converted unasked. Say \
                 `orrery history unit {folder} '{series}' '{asked}'` if they were {asked} all along{convert}; else give one of both \
                 another name (in the site, or by `orrery history rename`)"
            )
        });
        let more = all.len().saturating_sub(FEW);
        let rest =
            (more > 0).then(|| format!("{more} more signals have readings in another unit; `orrery history list` names them"));
        few.chain(rest).collect()
    }
}

/// Where no unit is known at all: those of the newest revision beside the history, which is of the site that wrote it last.
pub(super) fn learn(series: &mut Series, folder: &Path) {
    if series.all().iter().any(|one| one.unit.is_some()) {
        return;
    }
    let Some(model) = earlier::newest_model(&folder.join(PUBLICATION)) else { return };
    for number in 0..series.all().len() as u32 {
        if let Some(one) = series.one_mut(number) {
            one.unit = model.find_signal(&one.id).map(|signal| model.signal(signal).unit.0.clone());
        }
    }
}

/// Which of these numbers have samples in a stretch of time. Looks at what is likely to have them first, and no longer than needed.
///
/// # Errors
/// Where the keeper cannot be read.
pub(super) fn with_samples(
    keeper: &SqliteHistorian,
    numbers: &BTreeSet<u32>,
    range: TimeRange,
) -> Result<BTreeSet<u32>, KeepError> {
    let mut open = numbers.clone();
    let mut each = |entry: twin_historian::historian::Entry| {
        for (number, _, t) in samples_of(&entry.bytes) {
            if range.contains(t) {
                open.remove(&number);
            }
        }
        !open.is_empty()
    };
    keeper.journal(Position(0), &mut each, &mut |_, _| {})?;
    // Whole states first: they have the newest sample of everything.
    for level in LEVELS.into_iter().rev() {
        for page in keeper.pages(level, ALWAYS)?.iter().rev() {
            if open.is_empty() {
                return Ok(numbers.clone());
            }
            for kept in of_page(keeper, level, page.start)? {
                let lane = kept.key.first_signal..kept.key.first_signal.saturating_add(kept.key.signals);
                let met = open.range(lane).next().is_some();
                let Some(bytes) = (if met { keeper.chunk(&kept.key).ok().flatten() } else { None }) else { continue };
                for run in chunk::runs(&bytes).unwrap_or_default() {
                    if run.times.iter().any(|t| range.contains(*t)) {
                        open.remove(&run.signal);
                    }
                }
            }
        }
    }
    Ok(numbers.difference(&open).copied().collect())
}
