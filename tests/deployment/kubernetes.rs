//! The manifests for Kubernetes.

use std::process::Command;

use hashbuy::config::Config;
use serde_json::Value;
use yaml_rust2::Yaml;

use super::Case;
use super::program::{arguments, run};
use super::tools::{file, succeeds};
use super::yaml::{at, documents, list, text};

pub const CASES: &[Case] = &[
    ("the_manifests_fit_their_schemas", "kubernetes-validate", schemas),
    ("kustomize_puts_the_manifests_together", "kubectl", kustomize),
    ("the_manifests_fit_the_program", "", fit_the_program),
    ("the_pods_have_what_the_plan_says", "", as_planned),
    ("the_pods_may_do_nothing_but_their_work", "", may_do_little),
];

const FOLDER: &str = "deploy/kubernetes";

fn manifests() -> Vec<String> {
    let kustomization = &documents(&format!("{FOLDER}/kustomization.yaml"))[0];
    list(kustomization, "resources")
        .iter()
        .map(|name| format!("{FOLDER}/{}", name.as_str().unwrap()))
        .collect()
}

fn manifest(name: &str) -> Yaml {
    documents(&format!("{FOLDER}/{name}.yaml")).remove(0)
}

fn schemas() {
    let manifests = manifests();
    assert!(manifests.len() >= 6, "{manifests:?}");
    let mut command = Command::new("kubernetes-validate");
    succeeds(command.arg("--strict").args(manifests.iter().map(|manifest| file(manifest))));
}

fn kustomize() {
    let whole = succeeds(Command::new("kubectl").arg("kustomize").arg(file(FOLDER)));
    let documents = yaml_rust2::YamlLoader::load_from_str(&whole).unwrap();
    let find = |kind: &str| documents.iter().find(|document| text(document, "kind") == kind).unwrap();
    // The name with the hash is the one that the pods mount.
    let made = text(find("ConfigMap"), "metadata.name");
    assert!(made.starts_with("hashbuy-"), "{made}");
    assert_eq!(text(find("StatefulSet"), "spec.template.spec.volumes.0.configMap.name"), made);
    assert!(documents.iter().all(|document| text(document, "kind") != "Secret"), "a secret in a file");
}

/// The settings of the pods are settings, what they look for is mounted, and the probes ask what is served.
fn fit_the_program() {
    let set = manifest("statefulset");
    let pod = at(&set, "spec.template.spec");
    let container = at(pod, "containers.0");
    let variables =
        list(container, "env").iter().map(|variable| (text(variable, "name").into(), "hashbuy-0".into()));
    let config =
        Config::load(Some(&file(&format!("{FOLDER}/hashbuy.toml"))), variables, &[]).unwrap().service;
    assert_eq!(config.instance, "hashbuy-0");
    assert!(config.properties.contains_key("sasl.password"));
    assert!(!config.address.is_loopback(), "no probe gets there");
    let env = list(container, "env").iter();
    let instance = env.clone().find(|variable| text(variable, "name") == "HASHBUY_INSTANCE").unwrap();
    assert_eq!(text(instance, "valueFrom.fieldRef.fieldPath"), "metadata.name");
    let secrets = "/run/secrets/hashbuy/";
    let mounted: Vec<String> = list(pod, "volumes.1.secret.items")
        .iter()
        .map(|item| format!("{secrets}{}", text(item, "path")))
        .collect();
    assert_eq!(text(container, "volumeMounts.1.mountPath"), secrets.trim_end_matches('/'));
    for wanted in [config.secret_file.unwrap().to_str().unwrap(), &config.properties["ssl.ca.location"]] {
        assert!(mounted.iter().any(|path| path == wanted), "{wanted} is not among {mounted:?}");
    }

    let port = i64::from(config.port);
    assert_eq!(at(container, "ports.0.containerPort").as_i64(), Some(port));
    assert_eq!(at(&manifest("service"), "spec.ports.0.port").as_i64(), Some(port));
    assert_eq!(text(&set, "spec.serviceName"), text(&manifest("service"), "metadata.name"));
    for (probe, path) in [("startup", "/healthz"), ("liveness", "/healthz"), ("readiness", "/readyz")] {
        assert_eq!(text(container, &format!("{probe}Probe.httpGet.path")), path);
        assert_eq!(text(container, &format!("{probe}Probe.httpGet.port")), text(container, "ports.0.name"));
    }
    assert_eq!(at(pod, "enableServiceLinks").as_bool(), Some(false));
    let network = manifest("network");
    let broker = config.brokers.split(',').next().unwrap().rsplit(':').next().unwrap();
    assert_eq!(at(&network, "spec.egress.0.ports.0.port").as_i64(), broker.parse().ok());

    // Whom the Service, the budget and the rules of the network mean are these pods.
    let labels = at(&set, "spec.template.metadata.labels");
    let service = manifest("service");
    let budget = manifest("disruption");
    for selector in [
        at(&service, "spec.selector"),
        at(&budget, "spec.selector.matchLabels"),
        at(&network, "spec.podSelector.matchLabels"),
        at(&set, "spec.selector.matchLabels"),
    ] {
        for (name, value) in selector.as_hash().unwrap() {
            assert_eq!(&labels[name.as_str().unwrap()], value);
        }
    }
    assert_eq!(at(&budget, "spec.maxUnavailable").as_i64(), Some(1));
}

/// `256Mi`, in bytes.
fn bytes(quantity: &str) -> f64 {
    let mebibytes: f64 = quantity.strip_suffix("Mi").unwrap().parse().unwrap();
    mebibytes * f64::from(1 << 20)
}

fn as_planned() {
    let folder = super::program::Folder::new();
    let plan = run(&arguments(["plan", "--rate", "143199", "--json"]), &folder.path(""), b"");
    assert_eq!(plan.code, Some(0), "{}", plan.stderr);
    let plan: Value = serde_json::from_slice(&plan.stdout).unwrap();
    let planned = |name: &str| {
        let need = plan["needs"].as_object().unwrap().values().find(|need| need["what"] == name);
        need.unwrap_or_else(|| panic!("no {name} in {plan}"))["value"].as_f64().unwrap()
    };
    let set = manifest("statefulset");
    assert_eq!(
        at(&set, "spec.replicas").as_i64().map(|replicas| replicas as f64),
        Some(planned("processes"))
    );
    let container = at(&set, "spec.template.spec.containers.0");
    let (asked, limit) = (
        bytes(text(container, "resources.requests.memory")),
        bytes(text(container, "resources.limits.memory")),
    );
    let memory = planned("memory of a process");
    assert!(memory <= asked && 2.0 * memory <= limit, "{memory} are planned, {asked} to {limit} asked for");
    let cores: f64 = text(container, "resources.requests.cpu").parse().unwrap();
    assert!(planned("cores busy with the scan") / planned("processes") <= cores);
}

fn may_do_little() {
    for name in ["statefulset", "topics"] {
        let manifest = manifest(name);
        let pod = at(&manifest, "spec.template.spec");
        let container = at(pod, "containers.0");
        let is = |yaml: &Yaml, way: &str, wanted: bool| {
            assert_eq!(at(yaml, way).as_bool(), Some(wanted), "{name}: {way}")
        };
        is(pod, "securityContext.runAsNonRoot", true);
        is(pod, "automountServiceAccountToken", false);
        is(container, "securityContext.allowPrivilegeEscalation", false);
        is(container, "securityContext.readOnlyRootFilesystem", true);
        assert_eq!(text(container, "securityContext.capabilities.drop.0"), "ALL");
        assert_eq!(text(pod, "securityContext.seccompProfile.type"), "RuntimeDefault");
        let user = at(pod, "securityContext.runAsUser").as_i64().unwrap();
        let stages = super::dockerfile::stages();
        assert_eq!(super::dockerfile::only(stages.last().unwrap(), "USER"), format!("{user}:{user}"));
    }
}
