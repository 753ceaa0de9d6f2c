package dev.regen.snapshot.layer;

/** An extended attribute as it stands in the archive. */
@SuppressWarnings("ArrayRecordComponent") // compared by nobody
record Xattr(byte[] name, byte[] value) {}
