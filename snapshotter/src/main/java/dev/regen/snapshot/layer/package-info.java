/**
 * Layer trees to layer archives and back.
 *
 * <p>A layer tree is the writable directory of an overlay mount, as it lies on disk. A layer
 * archive is the same as an OCI layer tar, cut into zstd frames, with an index of its entries
 * beside it.
 *
 * <p>What each kind of thing in a layer becomes, and what proves that it comes back. {@code
 * LayerFidelityTest} makes each through a real overlay mount, archives the upper directory,
 * restores it, mounts it again over the same lower directory, and has find, getfattr and GNU tar
 * compare the two unions; umoci does the same with the exported layer. {@code LayerKind} names
 * below is a row there.
 *
 * <table>
 *   <caption>Fidelity</caption>
 *   <tr><th>kind</th><th>in the archive</th><th>proof</th></tr>
 *   <tr><td>deletion (device 0/0)</td><td>empty file {@code .wh.NAME}</td>
 *       <td>WHITEOUT, DEVICE_BY_WHITEOUT; umoci</td></tr>
 *   <tr><td>opaque directory (xattr)</td><td>empty file {@code .wh..wh..opq} in it</td>
 *       <td>OPAQUE_DIRECTORY; umoci</td></tr>
 *   <tr><td>directory replaced by a file, by another directory, and back</td>
 *       <td>the new kind alone, opaque if a directory</td>
 *       <td>DIRECTORY_BY_FILE, FILE_BY_DIRECTORY, DIRECTORY_BY_FILE_AND_BACK,
 *       SYMLINK_BY_DIRECTORY; umoci</td></tr>
 *   <tr><td>file or directory of a lower layer changed</td><td>as if new</td>
 *       <td>FILE_CHANGED; umoci</td></tr>
 *   <tr><td>hard links: inside, to a lower file, of symbolic links and devices</td>
 *       <td>the first name whole, further names as type 1</td>
 *       <td>HARD_LINK_INSIDE, HARD_LINK_TO_LOWER_FILE, HARD_LINK_OF_SYMLINK_AND_DEVICE</td></tr>
 *   <tr><td>holes: inside, at the end, nothing but</td><td>zeros; ranges in the entry index</td>
 *       <td>SPARSE, HOLE_AT_THE_END, ONLY_A_HOLE: blocks on disk; ZEROS_THAT_ARE_NO_HOLE</td></tr>
 *   <tr><td>extended attributes {@code user.*}, binary and empty</td>
 *       <td>PAX {@code SCHILY.xattr.}, bytes as they are</td><td>XATTR</td></tr>
 *   <tr><td>file capability</td><td>the same; its root id as the container sees it</td>
 *       <td>CAPABILITY; {@code idsAreThoseOfTheContainerOnEachHost} with getcap</td></tr>
 *   <tr><td>POSIX ACL, access and default</td><td>the same; ids as the container sees them</td>
 *       <td>ACL; {@code idsAreThoseOfTheContainerOnEachHost} with getfacl</td></tr>
 *   <tr><td>character and block devices</td><td>types 3 and 4</td><td>DEVICE</td></tr>
 *   <tr><td>FIFO</td><td>type 6</td><td>FIFO</td></tr>
 *   <tr><td>socket</td><td>not at all: skipped and counted</td><td>SOCKET</td></tr>
 *   <tr><td>names of 1 and 255 bytes, not UTF-8, with control characters; paths of 4,000 bytes;
 *       300 levels</td><td>PAX {@code path}, bytes as they are</td>
 *       <td>NAMES_OF_1_AND_255_BYTES, NAMES_NOT_UTF8, PATH_OF_4000_BYTES, MANY_LEVELS</td></tr>
 *   <tr><td>names that begin with {@code .wh.}</td>
 *       <td>{@code .wh..wh.regen.} before the name: other tools see a deletion of a name nobody
 *       has</td><td>NAMES_LIKE_WHITEOUTS</td></tr>
 *   <tr><td>user and group ids up to 2^32 - 2</td><td>octal, or PAX {@code uid}, {@code gid}</td>
 *       <td>LARGE_IDS</td></tr>
 *   <tr><td>setuid, setgid, sticky; modes of 000</td><td>mode; set after the owner</td>
 *       <td>SETUID_SETGID_STICKY, UNREADABLE_MODES</td></tr>
 *   <tr><td>times in ns, before 1970, after 2038, of directories and links</td>
 *       <td>PAX {@code mtime}; of directories set when they are left</td><td>TIMES</td></tr>
 *   <tr><td>empty files and directories</td><td>types 0 and 5</td><td>EMPTY</td></tr>
 *   <tr><td>symbolic links: dangling, absolute, upwards, of 4,000 bytes</td>
 *       <td>type 2, never followed</td><td>SYMLINKS</td></tr>
 *   <tr><td>files of many chunks</td><td>content cut by content</td><td>LARGE_FILE</td></tr>
 * </table>
 *
 * <p>Not kept: access times, change times, inode numbers, file flags ({@code chattr}), attributes
 * of other name spaces ({@code trusted.*}, labels of the host). Archives are read as hostile input;
 * {@code LayerImportHostileTest} has a test for each hazard.
 */
@NullMarked
package dev.regen.snapshot.layer;

import org.jspecify.annotations.NullMarked;
