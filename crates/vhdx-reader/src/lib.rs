//! Read-only view of the files in a VHDX or raw disk image that holds ext4, on any operating system.
