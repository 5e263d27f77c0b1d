//! x
use super::timeline::Timeline;
impl Timeline {
    /// x
    pub fn to_html(&self) -> String {
        String::new()
    }
    /// x
    pub fn to_chrome_json(&self) -> String {
        String::new()
    }
}
