//! Texts in the forms that are searched, sorted, stored and served.

use icu_casemap::CaseMapper;
use icu_normalizer::{ComposingNormalizer, DecomposingNormalizer};
use icu_properties::CodePointSetData;
use icu_properties::props::DefaultIgnorableCodePoint;

/// How often a text is folded at most. After one pass almost every text is stable, after two every
/// known one.
const FOLD_PASSES_MAX: usize = 4;

/// Folds a text so that texts that look the same become equal, however they were typed: without
/// case, in composed form, with compatibility forms such as `ﬁ` and full-width digits replaced, and
/// without invisible characters such as the soft hyphen. This is Unicode's NFKC_Casefold, applied
/// until it changes nothing. It knows no language: `ß` is `ss`, a dotted `İ` is not `i`, and `ü` is
/// neither `u` nor `ue`.
///
/// Search terms and searched columns both pass through here, so SQLite and PostgreSQL find the same
/// rows.
#[must_use]
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(ascii) = rest.bytes().position(|byte| !byte.is_ascii()) {
        // An ASCII letter joins nothing before it. The last one may carry the marks that follow.
        let (plain, others) = rest.split_at(ascii.saturating_sub(1));
        let others_end =
            others.char_indices().skip(1).find(|(_, letter)| letter.is_ascii()).map_or(others.len(), |(at, _)| at);
        folded.push_str(&plain.to_ascii_lowercase());
        folded.push_str(&fold_until_stable(&others[..others_end]));
        rest = &others[others_end..];
    }
    folded.push_str(&rest.to_ascii_lowercase());
    folded
}

fn fold_until_stable(text: &str) -> String {
    let mut folded = fold_once(text);
    for _ in 1..FOLD_PASSES_MAX {
        let again = fold_once(&folded);
        if again == folded {
            break;
        }
        folded = again;
    }
    folded
}

fn fold_once(text: &str) -> String {
    let invisible = CodePointSetData::new::<DefaultIgnorableCodePoint>();
    let visible = text.chars().filter(|letter| !invisible.contains(*letter));
    // The marks of a letter have one order only after they are decomposed, and folding the case of
    // the Greek iota below makes a letter of a mark.
    let decomposed: String = DecomposingNormalizer::new_nfkd().normalize_iter(visible).collect();
    let without_case = CaseMapper::new().fold_string(&decomposed);
    ComposingNormalizer::new_nfkc().normalize(&without_case).into_owned()
}

/// Replaces U+0000, which PostgreSQL cannot store, by U+FFFD.
#[must_use]
pub fn replace_nul(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text }
}

/// The greatest length, in bytes, of a text that can be found by its exact value. An index entry of
/// PostgreSQL has room for little more.
const INDEXABLE_BYTES_MAX: usize = 500;

/// The text, unless it is too long for an index. A longer text is stored, but a search for its
/// exact value does not find it.
#[must_use]
pub fn indexable_text(text: String) -> Option<String> {
    Some(text).filter(|text| text.len() <= INDEXABLE_BYTES_MAX)
}

/// How many characters of a text an order compares. An index entry of PostgreSQL has room for them.
const SORT_PREFIX_CHARS_MAX: usize = 200;

/// The value by which a folded text is sorted: its first 200 characters.
#[must_use]
pub fn sort_prefix(folded: &str) -> String {
    folded.chars().take(SORT_PREFIX_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn texts_that_look_the_same_fold_the_same() {
        for (text, folded) in [
            ("Küche", "küche"),
            ("Ku\u{308}che", "küche"),
            ("KÜCHE", "küche"),
            // Two marks in either order are one letter.
            ("a\u{323}\u{302}", "ậ"),
            ("a\u{302}\u{323}", "ậ"),
            ("Ậ", "ậ"),
            ("ẞtraße", "sstrasse"),
            ("STRASSE", "strasse"),
            ("ΟΔΟΣ οδος", "οδοσ οδοσ"),
            // The iota below an alpha, as a mark of its own and in one letter.
            ("α\u{345}\u{301}", "άι"),
            ("α\u{301}\u{345}", "άι"),
            ("ᾴ", "άι"),
            ("ﬁne ﬃ", "fine ffi"),
            ("１２３ＡＢ", "123ab"),
            ("ｶﾞ", "ガ"),
            ("\u{1112}\u{1161}\u{11ab}국", "한국"),
            ("½ x² ℡ Ⅻ", "1⁄2 x2 tel xii"),
            ("Å \u{212b} A\u{30a}", "å å å"),
            ("K\u{212a}", "kk"),
            // Spaces of any width are spaces; they are not cut off.
            (" a\u{a0}b\u{3000}c ", " a b c "),
            // Invisible: soft hyphen, joiners, direction marks, variation selectors, tags, fillers.
            ("Kü\u{ad}che", "küche"),
            ("a\u{200b}\u{200c}\u{200d}\u{2060}\u{feff}b", "ab"),
            ("\u{202e}a\u{200f}\u{2066}b", "ab"),
            ("☎\u{fe0f}\u{e0100}\u{e0041}", "☎"),
            ("\u{3164}\u{ffa0}\u{115f}", ""),
            // A mark that an invisible character kept from its letter joins it.
            ("u\u{34f}\u{308}", "ü"),
            // Turkish letters stay apart; the dot of a capital stays a mark.
            ("İIiı", "i\u{307}iiı"),
            ("％ ＿ ＼", "% _ \\"),
            ("a\0b\u{10ffff}", "a\0b\u{10ffff}"),
        ] {
            assert_eq!(fold(text), folded, "{text:?}");
        }
    }

    #[test]
    fn ligature_grows_to_its_letters() {
        assert_eq!(fold("\u{fdfa}").chars().count(), 18);
        assert_eq!(sort_prefix(&fold(&"\u{fdfa}".repeat(20))).chars().count(), 200);
    }

    /// No ideograph folds to anything else except those of compatibility.
    #[test]
    fn fold_of_every_character_is_stable() {
        let ranges = ['\0'..'\u{3400}', '\u{a000}'..'\u{20000}', '\u{2f800}'..'\u{2fb00}', '\u{e0000}'..'\u{e1000}'];
        for letter in ranges.into_iter().flatten() {
            let text = letter.to_string();
            let folded = fold(&text);
            if folded != text {
                assert_eq!(fold_once(&folded), folded, "{text:?}");
                // Marks around it may move or join.
                let folded = fold(&format!("a\u{345}{letter}\u{301}"));
                assert_eq!(fold_once(&folded), folded, "{text:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn fold_is_stable_and_ignores_the_form(text in "([a-zA-Z %]|\\PC|\\PM|[\u{300}-\u{345}\u{ad}\u{200d}ßİΣﬁÄ]){0,12}") {
            let folded = fold(&text);
            prop_assert_eq!(&fold_once(&folded), &folded);
            prop_assert_eq!(&fold_until_stable(&text), &folded);
            let decomposed = DecomposingNormalizer::new_nfd().normalize(&text).into_owned();
            prop_assert_eq!(&fold(&decomposed), &folded);
        }
    }
}
