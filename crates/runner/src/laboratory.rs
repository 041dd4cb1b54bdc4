//! What a laboratory has: profiles of instruments, driver files, addresses; and which of it a measurement means.
//!
//! ```text
//! selected_instrument ─► profile (by its file's name) ─► address ─┐
//!                    └─► driver: a file, code, or Python ─────────┴─► Found
//! ```
//!
//! Profiles are files as Exopy writes them, `<name>.instr.ini`, or those of HQCMeas; two keys more are understood at the top
//! of one: `driver`, which may be `python:module.Class`, and `address`, any VISA resource name. Nothing is opened here.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use instruments::{
    Boards, Resource,
    device::{Connection, DrivenBy, Profile},
    driver::{Driver, library},
    python,
};
use measurement::{
    Selected,
    file::{File, Section},
};

/// All that is known of the instruments of a laboratory.
#[derive(Debug, Default)]
pub struct Laboratory {
    profiles: BTreeMap<String, Profile>,
    /// Where profiles were looked for.
    folders: Vec<PathBuf>,
    /// Drivers of the user: they come before those of the library.
    drivers: Vec<Arc<Driver>>,
    /// By profile: they come before what the profile says.
    addresses: BTreeMap<String, String>,
    /// The interpreter of Python's drivers and tasks where nothing else is said.
    python: Option<PathBuf>,
    boards: Boards,
    /// Files that cannot be used, with the reason.
    problems: Vec<String>,
}

/// One instrument of a measurement, ready to be opened.
#[derive(Clone, Debug)]
pub struct Found {
    pub name: String,
    pub driven_by: DrivenBy,
    /// Nothing where the profile gives none: Python's drivers may need none.
    pub resource: Option<Resource>,
    /// Those of the profile that the measurement selects.
    pub settings: Vec<(String, String)>,
    /// The adapters that make GPIB buses.
    pub boards: Boards,
    /// How an object of Python is made, for drivers in Python.
    pub python: python::Options,
}

impl Laboratory {
    /// Reads the profiles and drivers of these folders.
    pub fn open(setup: &protocol::Laboratory) -> Self {
        let mut laboratory = Self {
            addresses: setup.addresses.iter().cloned().collect(),
            python: setup.python.as_ref().map(PathBuf::from),
            folders: setup.profiles.iter().map(PathBuf::from).collect(),
            ..Self::default()
        };
        for adapter in &setup.adapters {
            let declared = adapter.parse().map(|adapter| laboratory.boards.declare(adapter));
            if !matches!(declared, Ok(Ok(()))) {
                laboratory.problems.push(format!("`{adapter}` is no adapter"));
            }
        }
        for folder in &setup.profiles {
            for path in files(Path::new(folder), ".ini") {
                match read_profile(&path) {
                    Ok(profile) => {
                        laboratory.profiles.entry(profile.name.clone()).or_insert(profile);
                    }
                    Err(problem) => laboratory.problems.push(problem),
                }
            }
        }
        for folder in &setup.drivers {
            for path in files(Path::new(folder), ".toml") {
                match read_driver(&path) {
                    Ok(driver) => laboratory.drivers.push(Arc::new(driver)),
                    Err(problem) => laboratory.problems.push(problem),
                }
            }
        }
        laboratory
    }

    /// Files in its folders that cannot be used, each with the reason.
    pub fn problems(&self) -> &[String] {
        &self.problems
    }

    pub fn profiles(&self) -> impl Iterator<Item = &Profile> {
        self.profiles.values()
    }

    pub fn python(&self) -> Option<&Path> {
        self.python.as_deref()
    }

    /// What drives an instrument.
    ///
    /// # Errors
    /// No driver of this name is known.
    pub fn driver(&self, selected: &Selected) -> Result<DrivenBy, String> {
        let of_profile = self
            .profiles
            .get(&selected.profile)
            .map(|profile| profile.driver.as_str());
        let name = of_profile
            .filter(|driver| !driver.is_empty())
            .unwrap_or(&selected.driver);
        if let Some(class) = name.strip_prefix("python:") {
            return Ok(DrivenBy::Python(class.to_owned()));
        }
        let own = self
            .drivers
            .iter()
            .find(|driver| driver.id == name || driver.aliases.iter().any(|alias| alias == name));
        if let Some(driver) = own {
            return Ok(DrivenBy::File(driver.clone()));
        }
        let driver = library::find(name);
        driver.map(|driver| DrivenBy::File(Arc::new(driver))).ok_or_else(|| {
            format!(
                "nothing here drives `{}`: no driver `{name}` is known (`measurand drivers` shows all; a driver file of \
                 your own is found by `--drivers FOLDER`)",
                selected.profile
            )
        })
    }

    /// The instrument that a measurement selects.
    ///
    /// # Errors
    /// There is no such profile or driver, or the address makes no sense.
    pub fn find(&self, selected: &Selected) -> Result<Found, String> {
        let driven_by = self.driver(selected)?;
        let profile = self.profiles.get(&selected.profile);
        let address = match (self.addresses.get(&selected.profile), profile) {
            (Some(address), _) => Ok(address.clone()),
            (None, Some(profile)) => address(profile, &selected.connection),
            (None, None) => Err(self.no_profile(selected)),
        };
        let mut python = self.python_options(profile)?;
        let resource = match driven_by {
            DrivenBy::File(_) => Some(resource(&selected.profile, &address?)?),
            // A library has its own ways to say where an instrument is, or none.
            DrivenBy::Python(_) => {
                let named = address.as_ref().ok().and_then(|address| address.parse().ok());
                python.address = address.unwrap_or(python.address);
                named
            }
        };
        let settings = match profile {
            Some(profile) => settings(profile, &selected.settings)?,
            None => Vec::new(),
        };
        Ok(Found {
            name: selected.profile.clone(),
            driven_by,
            resource,
            settings,
            boards: self.boards.clone(),
            python,
        })
    }

    fn python_options(&self, profile: Option<&Profile>) -> Result<python::Options, String> {
        let mut options = match profile {
            Some(profile) => python::Options::from_profile(profile)
                .map_err(|problem| format!("the profile `{}`: {problem}", profile.name))?,
            None => python::Options::default(),
        };
        if let (true, Some(python)) = (options.python.as_os_str().is_empty(), &self.python) {
            options.python.clone_from(python);
        }
        Ok(options)
    }

    fn no_profile(&self, selected: &Selected) -> String {
        let name = &selected.profile;
        let places: Vec<String> = self
            .folders
            .iter()
            .map(|folder| format!("`{}`", folder.display()))
            .collect();
        let places = if places.is_empty() {
            "no folder of profiles is given".to_owned()
        } else {
            format!("none in {}", places.join(", "))
        };
        format!(
            "where is `{name}`? There is no profile of it ({places}): give its address by `--address {name}=…`, the folder \
             of its profile by `--profiles`, or try it out with `--simulate`"
        )
    }
}

/// The files of a folder with this ending, in the order of their names.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.to_string_lossy().ends_with(ending) && path.is_file())
        .collect();
    files.sort();
    files
}

fn read_driver(path: &Path) -> Result<Driver, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("`{}`: {error}", path.display()))?;
    Driver::parse(&text).map_err(|problems| {
        let first = problems.first().map_or("", |problem| problem.message.as_str());
        format!(
            "`{0}`: {first} (`measurand drivers {0}` shows the place)",
            path.display()
        )
    })
}

/// Reads a profile, which is called as its file is.
///
/// # Errors
/// The file cannot be read.
pub fn read_profile(path: &Path) -> Result<Profile, String> {
    let bytes = fs::read(path).map_err(|error| format!("`{}`: {error}", path.display()))?;
    let file = File::from_bytes(&bytes).map_err(|errors| {
        let first = errors.first().map(|error| {
            let text = String::from_utf8_lossy(&bytes);
            let (line, _) = measurement::file::line_col(&text, error.span.start);
            format!("line {line}: {}", error.message)
        });
        format!("`{}`: {}", path.display(), first.unwrap_or_default())
    })?;
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let name = name.strip_suffix(".ini").unwrap_or(&name);
    let name = name.strip_suffix(".instr").unwrap_or(name);
    Ok(profile(name, file.root()))
}

fn profile(name: &str, root: &Section) -> Profile {
    let fields = |section: &Section| -> BTreeMap<String, String> {
        section
            .scalars()
            .map(|(key, scalar)| (key.to_owned(), scalar.value.clone()))
            .collect()
    };
    let inner = |name: &str| root.section(name).into_iter().flat_map(Section::sections);
    let mut top = fields(root);
    let mut connections: Vec<Connection> = inner("connections")
        .map(|section| Connection {
            kind: section.name().to_owned(),
            fields: fields(section),
        })
        .collect();
    let settings = inner("settings")
        .map(|section| (section.name().to_owned(), fields(section)))
        .collect();
    let mut driver = top.remove("driver").unwrap_or_default();
    if let Some(kind) = top.get("connection_type") {
        connections.push(of_hqcmeas(kind, &top));
        // Its names of drivers are those of measurements of its time, which say theirs in today's form.
        driver.clear();
    } else if let Some(address) = top.get("address").or_else(|| top.get("resource_name")) {
        let field = ("resource_name".to_owned(), address.clone());
        connections.insert(
            0,
            Connection {
                kind: "VisaRaw".to_owned(),
                fields: BTreeMap::from([field]),
            },
        );
    }
    Profile {
        name: name.to_owned(),
        model: top.get("model_id").cloned().unwrap_or_default(),
        driver,
        connections,
        settings,
        fields: top,
    }
}

/// A connection as HQCMeas wrote it: `connection_type`, `address` and `additionnal_mode`.
fn of_hqcmeas(kind: &str, top: &BTreeMap<String, String>) -> Connection {
    let value = |key: &str| top.get(key).cloned().unwrap_or_default();
    let mode = value("additionnal_mode");
    let class = if mode.eq_ignore_ascii_case("socket") {
        "SOCKET"
    } else {
        "INSTR"
    };
    let mut fields = BTreeMap::from([("resource_class".to_owned(), class.to_owned())]);
    let mut set = |key: &str, value: String| fields.insert(key.to_owned(), value);
    match kind {
        "GPIB" => {
            set("primary_address", value("address"));
        }
        "TCPIP" => {
            set("host_address", value("address"));
            if mode.to_ascii_lowercase().starts_with("inst")
                && mode.len() > "instr".len() - 1
                && mode.ends_with(|c: char| c.is_ascii_digit())
            {
                set("lan_device_name", mode.clone());
            }
        }
        "USB" => {
            set("resource_name", format!("USB0::{}::INSTR", value("address")));
        }
        _ => {
            set("resource_name", value("address"));
        }
    }
    Connection {
        kind: format!("Visa{kind}"),
        fields,
    }
}

fn resource(name: &str, address: &str) -> Result<Resource, String> {
    address
        .parse::<Resource>()
        .map_err(|error| format!("the address of `{name}`: {error}"))
}

/// The address that a connection of a profile means; of the only one where none is named.
///
/// # Errors
/// There is no such connection, or something in it is missing.
pub fn address(profile: &Profile, connection: &str) -> Result<String, String> {
    let name = &profile.name;
    let found = match profile.connections.as_slice() {
        [only] if connection.is_empty() || only.kind == connection => Some(only),
        connections => connections.iter().find(|known| known.kind == connection),
    };
    // A resource name that the user wrote into the profile is meant whatever the measurement says.
    let raw = || profile.connections.iter().find(|known| known.kind == "VisaRaw");
    let found = found.or_else(raw).ok_or_else(|| {
        let known: Vec<String> = profile
            .connections
            .iter()
            .map(|known| format!("`{}`", known.kind))
            .collect();
        format!(
            "the profile `{name}` has no connection `{connection}`; it has {}",
            or_none(&known)
        )
    })?;
    let value = |key: &str| {
        found
            .fields
            .get(key)
            .map(|value| value.trim())
            .filter(|value| !value.is_empty())
    };
    let needed = |key: &str| {
        value(key).ok_or_else(|| format!("the connection `{}` of the profile `{name}` has no `{key}`", found.kind))
    };
    if let Some(name) = value("resource_name") {
        return Ok(name.to_owned());
    }
    let board = value("board").unwrap_or("0");
    match found.kind.as_str() {
        "VisaTCPIP" if value("resource_class") == Some("SOCKET") => Ok(format!(
            "TCPIP{board}::{}::{}::SOCKET",
            needed("host_address")?,
            needed("port")?
        )),
        "VisaTCPIP" => {
            let device = value("lan_device_name").unwrap_or("inst0");
            Ok(format!("TCPIP{board}::{}::{device}::INSTR", needed("host_address")?))
        }
        "VisaGPIB" => {
            let primary = needed("primary_address")?;
            // What Exopy stores as 0 is no secondary address: hardly an instrument has one.
            let secondary = value("secondary_address").filter(|secondary| *secondary != "0");
            let secondary = secondary.map(|secondary| format!("::{secondary}")).unwrap_or_default();
            Ok(format!("GPIB{board}::{primary}{secondary}::INSTR"))
        }
        "VisaUSB" => Ok(format!(
            "USB{board}::{}::{}::{}::{}::INSTR",
            needed("manufacturer_id")?,
            needed("model_code")?,
            needed("serial_number")?,
            value("usb_interface_number").unwrap_or("0")
        )),
        "VisaRS232" => Ok(format!("ASRL{board}::INSTR")),
        other => Err(format!(
            "the connection `{other}` of the profile `{name}` is none that is known here: VisaTCPIP, VisaGPIB, VisaUSB, \
             VisaRS232 and VisaRaw are"
        )),
    }
}

/// The fields of the settings that a measurement selects.
fn settings(profile: &Profile, selected: &str) -> Result<Vec<(String, String)>, String> {
    let found = match (selected, profile.settings.as_slice()) {
        ("", [(_, only)]) => Some(only),
        ("", _) => return Ok(Vec::new()),
        (selected, all) => all.iter().find(|(name, _)| name == selected).map(|(_, fields)| fields),
    };
    let found = found.ok_or_else(|| {
        let known: Vec<String> = profile.settings.iter().map(|(name, _)| format!("`{name}`")).collect();
        format!(
            "the profile `{}` has no settings `{selected}`; it has {}",
            profile.name,
            or_none(&known)
        )
    })?;
    Ok(found.iter().map(|(key, value)| (key.clone(), value.clone())).collect())
}

fn or_none(known: &[String]) -> String {
    if known.is_empty() {
        "none".to_owned()
    } else {
        known.join(", ")
    }
}

/// The text of a profile, as Exopy reads it.
pub fn profile_text(profile: &Profile) -> String {
    let mut file = File::new();
    let root = file.root_mut();
    root.set("id", &profile.name);
    root.set("model_id", &profile.model);
    if !profile.driver.is_empty() {
        root.set("driver", &profile.driver);
    }
    for (key, value) in profile
        .fields
        .iter()
        .filter(|(key, _)| !["id", "model_id"].contains(&key.as_str()))
    {
        root.set(key, value);
    }
    let section = root.add_section("connections");
    for connection in &profile.connections {
        let inner = section.add_section(&connection.kind);
        connection.fields.iter().for_each(|(key, value)| inner.set(key, value));
    }
    let section = root.add_section("settings");
    for (name, fields) in &profile.settings {
        let inner = section.add_section(name);
        fields.iter().for_each(|(key, value)| inner.set(key, value));
    }
    file.to_canonical_text()
}

#[cfg(test)]
mod tests;
