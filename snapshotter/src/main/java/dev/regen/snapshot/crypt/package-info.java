/**
 * Encryption at rest.
 *
 * <p><b>What is encrypted.</b> Of an encrypted snapshot every chunk, those of its entry index
 * (which holds the names) included, and of its manifest the container's configuration (it holds
 * environment variables), the paths that were left out and the volumes it doesn't hold. In the
 * plain stay what a queue needs to work without a key: queue, times, ends, image, container id,
 * counts and sizes, digests of stored bytes. Whoever reads the disk sees besides:
 *
 * <ul>
 *   <li>the length of each chunk after compression, and with it roughly how much changed when. The
 *       places of cuts depend on the key, so that lengths do not match those of a known file cut
 *       elsewhere; but the hash that decides groups by names is only seeded, no strong function,
 *       and a snapshot that was encrypted after it was taken keeps the cuts it had;
 *   <li>that two chunks under one key are equal.
 * </ul>
 *
 * <p><b>Keys.</b> A key of the keyset is never used itself. HKDF-SHA-256 makes of it one key each
 * for: making chunk keys, making detail keys, wrapping, cutting.
 *
 * <p><b>Why no nonce is used twice.</b> A chunk's own key is HMAC-SHA-256 of all that is to be
 * encrypted. A key that encrypts one text only needs no nonce that differs from another, so it is
 * zero; the same text gives the same stored bytes, and de-duplicates within a key and never across.
 * The chunk key stands before the text, wrapped with AES-KW (RFC 3394), which needs no nonce.
 *
 * <p><b>What it does not do.</b> It keeps a stolen disk or a curious storage server from reading.
 * Somebody who can write there can still put an older snapshot, or one that is not encrypted, in
 * the place of a newer. Layer trees in staging, in {@code mounts} while they are mounted and in
 * {@code tmp} while they are imported are plain, as the container needs them, and so are the specs
 * of layers that wait in the spool and of runs that have not ended.
 */
@NullMarked
package dev.regen.snapshot.crypt;

import org.jspecify.annotations.NullMarked;
