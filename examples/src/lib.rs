//! The programs are the files beside this folder.
