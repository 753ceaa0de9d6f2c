/**
 * An S3 bucket as a store: the only user of the AWS SDK, which is loaded with the first call to a
 * bucket and not before.
 *
 * <p>Under a prefix lie
 *
 * <pre>
 * store.json            which store this is, and what its server keeps of what it promises
 * packs/NAME            chunks, one after the other, and behind them their list
 * marked/NAME           places in packs that nobody is to count on any more
 * removed/NAME          places in packs that hold nothing any more
 * leases/ID/begun, …/alive   somebody who counts on what is there
 * records/…             records
 * </pre>
 *
 * <p>A pack is what it is on a disk ({@link dev.regen.snapshot.store.PackList}): it and the list of
 * what it holds are one object, which is there as a whole or not at all, so there is no index to be
 * without its pack, and no pack without an index. Who uses a store lists the packs and reads, of
 * those that are new, the last few kilobytes.
 */
@NullMarked
package dev.regen.snapshot.remote.s3;

import org.jspecify.annotations.NullMarked;
