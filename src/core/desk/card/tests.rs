use super::*;

#[test]
fn an_empty_card_is_not_kept() {
    assert!(Card::default().is_empty() && Card::default().next().is_none());
}
