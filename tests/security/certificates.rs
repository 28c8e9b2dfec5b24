//! Certificates of a made-up authority, and of one that nobody knows.

use std::path::Path;
use std::process::Command;

use crate::common::program::Folder;

/// A folder with certificates.
pub struct Certificates {
    pub folder: Folder,
}

impl Certificates {
    pub fn can_be_made() -> bool {
        Command::new("openssl").arg("version").output().is_ok_and(|output| output.status.success())
    }

    /// `ca.pem`, `other-ca.pem`; `broker.pem` of 127.0.0.1; `client.pem` and
    /// `other-client.pem`, each with its key beside it in `*.key`.
    pub fn make() -> Certificates {
        let folder = Folder::new();
        let path = folder.path("");
        authority(&path, "ca");
        authority(&path, "other-ca");
        signed(&path, "broker", "ca", "broker", "IP:127.0.0.1");
        signed(&path, "client", "ca", "hashbuy", "DNS:hashbuy");
        signed(&path, "other-client", "other-ca", "hashbuy", "DNS:hashbuy");
        // Kafka wants the key and the chain in one file.
        let together = folder.read("broker.key") + &folder.read("broker.pem");
        folder.write("broker.pem", together);
        Certificates { folder }
    }

    pub fn path(&self, name: &str) -> String {
        self.folder.path(name).to_str().unwrap().to_owned()
    }
}

fn authority(folder: &Path, name: &str) {
    let (key, pem) = (format!("{name}.key"), format!("{name}.pem"));
    let subject = format!("/CN={name} of the tests");
    let curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
    openssl(
        folder,
        &[&["req", "-x509"][..], &curve, &["-keyout", &key, "-out", &pem, "-subj", &subject]].concat(),
    );
}

fn signed(folder: &Path, name: &str, by: &str, common_name: &str, alternative: &str) {
    let file = |ending: &str| format!("{name}.{ending}");
    let (key, pem) = (file("key"), file("pem"));
    let (ca, ca_key) = (format!("{by}.pem"), format!("{by}.key"));
    let (subject, alternative) = (format!("/CN={common_name}"), format!("subjectAltName={alternative}"));
    let curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
    let leaf = ["-addext", "basicConstraints=critical,CA:FALSE", "-addext", &alternative];
    let whose = [&["-CA", &ca, "-CAkey", &ca_key, "-subj", &subject][..], &leaf].concat();
    openssl(folder, &[&["req", "-x509"][..], &curve, &whose, &["-keyout", &key, "-out", &pem]].concat());
}

fn openssl(folder: &Path, arguments: &[&str]) {
    let output = Command::new("openssl").args(arguments).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}
