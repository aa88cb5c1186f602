//! Made-up people and addresses.

use super::Sampler;

const FIRST: &[&str] = &[
    "Ada", "Björn", "Carmen", "Dmitri", "Eric", "Fatima", "Grace", "Hugo", "Ines", "Jack", "Keiko", "Liam", "Mei",
    "Noor", "Olu", "Priya", "Quentin", "Rosa", "Siobhán", "Tomás", "Uma", "Viktor", "Wanda", "Yusuf", "Zoë",
];

const LAST: &[&str] = &[
    "Abernathy",
    "Brickwell",
    "Cedarholm",
    "D'Plank",
    "Evergate",
    "Fencely",
    "Gableman",
    "Hedgerow",
    "Ironwood",
    "Joist",
    "Kilnworth",
    "Lattice",
    "Mortarson",
    "Nøttveit",
    "O'Rafter",
    "Paverly",
    "Quoin",
    "Ridgebeam",
    "Shingler",
    "Trellis",
    "Underhill",
    "Vergeboard",
    "Walluk",
    "Yardley",
];

const COMPANY: &[&str] = &[
    "Gazebo Emporium",
    "Garden Works",
    "Pool & Patio",
    "Deck Company",
    "Fence Co.",
    "Landscapes",
    "Outdoor \"Living\" Rooms",
    "Property Management",
    "Café",
    "Homeowners' Association",
    "Concrete Repair",
    "Studio",
];

const STREET: &[&str] = &[
    "Gazebo Way",
    "Larkspur Lane",
    "Quarry Road",
    "Old Mill Street",
    "Fencepost Court",
    "Peñasco Avenue",
    "Juniper Terrace",
    "Harbour View",
    "County Road 12",
];

/// City, county, state, and the first three digits of the zip code. They belong together.
const TOWN: &[(&str, &str, &str, &str)] = &[
    ("Philadelphia", "Philadelphia County", "PA", "191"),
    ("Boise", "Ada County", "ID", "837"),
    ("Española", "Rio Arriba County", "NM", "875"),
    ("Madison", "Dane County", "WI", "537"),
    ("Savannah", "Chatham County", "GA", "314"),
    ("Tacoma", "Pierce County", "WA", "984"),
    ("Burlington", "Chittenden County", "VT", "054"),
];

/// A person with contact details.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// `Eric`
    pub first_name: String,
    /// `Cedarholm`
    pub last_name: String,
    /// `481-555-0142`
    pub phone: String,
    /// Plain ASCII, at `example.com`.
    pub email: String,
}

impl Person {
    /// Draws a person.
    pub fn sample(sampler: &mut Sampler) -> Person {
        let (first_name, last_name) = (sampler.pick(FIRST), sampler.pick(LAST));
        let plain = |name: &str| name.chars().filter(char::is_ascii_alphabetic).collect::<String>().to_lowercase();
        Person {
            first_name: first_name.to_owned(),
            last_name: last_name.to_owned(),
            phone: phone(sampler),
            email: format!("{}.{}@example.com", plain(first_name), plain(last_name)),
        }
    }

    /// The full name.
    pub fn name(&self) -> String {
        format!("{} {}", self.first_name, self.last_name)
    }

    /// The name of this person's company: `Eric's Gazebo Emporium`.
    pub fn company(&self, sampler: &mut Sampler) -> String {
        format!("{}'s {}", self.first_name, sampler.pick(COMPANY))
    }
}

/// A telephone number from the range reserved for fiction.
pub(crate) fn phone(sampler: &mut Sampler) -> String {
    format!("{}-555-01{:02}", sampler.between(201, 989), sampler.between(0, 99))
}

/// A postal address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// `17 Quarry Road`
    pub street: String,
    /// `Boise`
    pub city: String,
    /// `Ada County`
    pub county: String,
    /// `ID`
    pub state: String,
    /// `83702`
    pub zip_code: String,
}

impl Place {
    /// Draws an address.
    pub fn sample(sampler: &mut Sampler) -> Place {
        let (city, county, state, zip) = TOWN[sampler.index(TOWN.len())];
        Place {
            street: format!("{} {}", sampler.between(1, 2_400), sampler.pick(STREET)),
            city: city.to_owned(),
            county: county.to_owned(),
            state: state.to_owned(),
            zip_code: format!("{zip}{:02}", sampler.between(1, 49)),
        }
    }
}
