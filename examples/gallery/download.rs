//! One download, from the text of an address to a file with its final name.

use crate::address::Address;
use crate::client::Client;
use crate::failure::Failure;
use crate::folder::Folder;

/// Fetches the picture at `address` into the folder, and returns its size in bytes.
///
/// On any failure, and when the green thread is cancelled halfway, dropping the part file removes it.
pub(crate) fn download(
    client: &mut Client,
    address: &str,
    folder: &Folder,
) -> Result<u64, Failure> {
    let address: Address = address.parse()?;
    let mut part = folder.begin().map_err(Failure::Save)?;
    let bytes = client.fetch(&address, &mut part)?;
    part.keep(&address.file_name()).map_err(Failure::Save)?;
    Ok(bytes)
}
