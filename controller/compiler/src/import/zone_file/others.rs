//! The data of types that manifests hold by their number only, read by their mnemonics' own forms into that of RFC 3597.

use cst_api::RecordType;
use data_encoding::{BASE64, HEXLOWER_PERMISSIVE, HEXUPPER};

use super::data::NoData;
use super::lexer::Word;
use super::{mnemonic, name};
use crate::model::DomainName;
use crate::model::record::numbers::{AFSDB, EUI48, EUI64, HINFO, OPENPGPKEY, RP, SMIMEA, SPF};

/// The data in the form of RFC 3597 §5; why there is none.
pub(super) fn generic(type_: RecordType, words: &[Word<'_>], origin: Option<&DomainName>) -> Result<String, NoData> {
    let (data, expected) = match type_.number() {
        HINFO => (exactly(words, 2).and_then(strings), "two texts such as `\"PC\" \"Linux\"`"),
        SPF => (strings(words), "texts such as `\"v=spf1 -all\"`"),
        RP => (names(exactly(words, 2), origin)?, "two names such as `hostmaster.example.org. .`"),
        AFSDB => (numbered_name(words, origin)?, "a number and a name such as `1 afs.example.org.`"),
        SMIMEA => (certificate(words), "three numbers and hexadecimal digits such as `3 1 1 0A00FF…`"),
        OPENPGPKEY => (key(words), "a key in base64"),
        EUI48 => (octets(words, 6), "six octets such as `00-00-5e-00-53-2a`"),
        EUI64 => (octets(words, 8), "eight octets such as `00-00-5e-ef-10-00-00-2a`"),
        _ => return Err(NoData::NotHeld(format!("records of the type {} are not held here", mnemonic(type_)))),
    };
    let data = data.ok_or_else(|| {
        NoData::NotHeld(format!("its data is not of the form of {}: write {expected}", mnemonic(type_)))
    })?;
    Ok(format!("\\# {} {}", data.len(), HEXUPPER.encode(&data)).trim_end().to_owned())
}

fn exactly<'w, 'a>(words: &'w [Word<'a>], count: usize) -> Option<&'w [Word<'a>]> {
    Some(words).filter(|words| words.len() == count)
}

/// Character strings (RFC 1035 §3.3), one a word.
fn strings(words: &[Word<'_>]) -> Option<Vec<u8>> {
    let mut data = Vec::new();
    for word in words {
        let inner = word.raw.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).unwrap_or(word.raw);
        let text = unescaped(inner)?;
        data.push(u8::try_from(text.len()).ok()?);
        data.extend(text);
    }
    Some(data)
}

fn unescaped(raw: &[u8]) -> Option<Vec<u8>> {
    let mut text = Vec::with_capacity(raw.len());
    let mut bytes = raw.iter().copied();
    while let Some(byte) = bytes.next() {
        text.push(if byte == b'\\' { name::escaped(&mut bytes)? } else { byte });
    }
    Some(text)
}

fn names(words: Option<&[Word<'_>]>, origin: Option<&DomainName>) -> Result<Option<Vec<u8>>, NoData> {
    let Some(words) = words else { return Ok(None) };
    let mut data = Vec::new();
    for word in words {
        name::absolute(word, origin)?.write_wire(&mut data);
    }
    Ok(Some(data))
}

fn numbered_name(words: &[Word<'_>], origin: Option<&DomainName>) -> Result<Option<Vec<u8>>, NoData> {
    let Some(number) = exactly(words, 2).and_then(|words| number::<u16>(words.first()?)) else { return Ok(None) };
    let name = names(words.get(1..), origin)?;
    Ok(name.map(|name| [&number.to_be_bytes()[..], &name].concat()))
}

fn certificate(words: &[Word<'_>]) -> Option<Vec<u8>> {
    let (numbers, digits) = words.split_at_checked(3)?;
    let mut data = numbers.iter().map(number::<u8>).collect::<Option<Vec<u8>>>()?;
    data.extend(HEXLOWER_PERMISSIVE.decode(plain(digits)?.as_bytes()).ok()?);
    Some(data)
}

fn key(words: &[Word<'_>]) -> Option<Vec<u8>> {
    BASE64.decode(plain(words)?.as_bytes()).ok()
}

fn octets(words: &[Word<'_>], count: usize) -> Option<Vec<u8>> {
    let text = exactly(words, 1).and_then(plain)?;
    let octet = |digits: &str| {
        let is_octet = (1..=2).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        u8::from_str_radix(digits, 16).ok().filter(|_| is_octet)
    };
    let octets = text.split('-').map(octet).collect::<Option<Vec<u8>>>()?;
    Some(octets).filter(|octets| octets.len() == count)
}

/// A number without sign, not quoted.
fn number<N: std::str::FromStr>(word: &Word<'_>) -> Option<N> {
    let is_number = word.raw.iter().all(u8::is_ascii_digit);
    word.text().parse().ok().filter(|_| is_number)
}

/// Words written apart that are one, none of them quoted: so servers want it.
fn plain(words: &[Word<'_>]) -> Option<String> {
    let are_plain = words.iter().all(|word| !word.is_quoted());
    are_plain.then(|| words.iter().map(Word::text).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::{ReadZone, read_zone_file};

    /// A zone of one record beside its SOA.
    fn reading(record: &str) -> ReadZone {
        let text = format!("@ 3600 IN SOA ns root 1 2h 15M 4w 300\na {record}\n");
        read_zone_file("z", text.as_bytes(), Some(&DomainName::parse("example.org").unwrap()))
    }

    #[test]
    fn types_that_are_held_by_number_are_read_by_their_mnemonics() {
        for (written, held) in [
            ("HINFO \"Intel PC\" a\\032\\\"b", "TYPE13 \\# 14 08496E74656C2050430461202262".into()),
            ("RP A.b @", format!("TYPE17 \\# 30 01610162{0}{0}", "076578616D706C65036F726700")),
            ("AFSDB 1 .", "TYPE18 \\# 3 000100".into()),
            ("SMIMEA 3 1 0 ( aabb\n CC )", "TYPE53 \\# 6 030100AABBCC".into()),
            ("OPENPGPKEY aGVs bG8=", "TYPE61 \\# 5 68656C6C6F".into()),
            ("SPF \"v=spf1\" x", "TYPE99 \\# 9 06763D737066310178".into()),
            ("EUI48 0-00-5e-00-53-2A", "TYPE108 \\# 6 00005E00532A".into()),
            ("eui64 00-00-5e-ef-10-00-00-2a", "TYPE109 \\# 8 00005EEF1000002A".into()),
        ] {
            let read = reading(written);
            assert_eq!(read.problems, [], "{written}");
            let zone = read.zone.unwrap().zone;
            let set = zone.sets().next().unwrap();
            assert_eq!(format!("{} {}", set.type_().in_manifests(), set.values()[0]), held, "{written}");
        }
        for written in [
            "HINFO a",
            "HINFO a b c",
            "RP @",
            "RP a\\.b @",
            "AFSDB x @",
            "AFSDB 65536 @",
            "SMIMEA 3 1 1 aabb",
            "SMIMEA 3 1 0 aab",
            "SMIMEA 3 1 0 \"aabb\"",
            "OPENPGPKEY aGVsbG8",
            "OPENPGPKEY \"aGVsbG8=\"",
            "EUI48 00:00:5e:00:53:2a",
            "EUI48 00-00-5e-00-53",
            "EUI64 +0-00-5e-ef-10-00-00-2a",
            "X25 \"12345\"",
        ] {
            let told = reading(written).problems;
            assert!(told.len() == 1 && told[0].message.contains("is left out"), "{written}: {told:?}");
        }
        let told = reading("RP \"x\" @").problems;
        assert_eq!(told[0].to_string(), "z:2:1: error: \"x\" is a text and no name: remove the quotes");
    }
}
