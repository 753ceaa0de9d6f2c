package dev.regen.snapshot.layer;

import dev.regen.runtime.os.Stat;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The records of one PAX extended header, read byte by byte: names and values need not be text.
 *
 * <p>Source: POSIX.1-2024, pax, "pax Extended Header".
 */
final class PaxRecords {
  /** The most a PAX header or a GNU long name may take. */
  static final int HEADER_BYTES_MAX = 1 << 20;

  /** The most extended attributes a member may have. */
  static final int XATTRS_MAX = 4096;

  private static final String XATTR = "SCHILY.xattr.";
  private static final String ACL = "SCHILY.acl.";

  private byte @Nullable [] path;
  private byte @Nullable [] linkPath;
  private @Nullable Long size;
  private @Nullable Long uid;
  private @Nullable Long gid;
  private Stat.@Nullable Time mtime;
  private @Nullable String refusal;
  private final List<Xattr> xattrs = new ArrayList<>();

  /** From text form, by the attribute's name; tools may write both forms. */
  private final Map<String, byte @Nullable []> acls = new HashMap<>();

  /** Reads a header's content. */
  static PaxRecords parse(byte[] content) throws BadLayerException {
    PaxRecords records = new PaxRecords();
    int at = 0;
    while (at < content.length) {
      int space = at;
      while (space < content.length && content[space] != ' ' && space - at < 8) {
        space++;
      }
      if (space == content.length || content[space] != ' ') {
        throw new BadLayerException("a PAX record's length is wrong");
      }
      long length = TarNumbers.decimal(Arrays.copyOfRange(content, at, space));
      int end = at + (int) length;
      if (length > content.length - at || end <= space + 1 || content[end - 1] != '\n') {
        throw new BadLayerException("a PAX record's length is wrong");
      }
      records.add(content, space + 1, end - 1);
      at = end;
    }
    return records;
  }

  private void add(byte[] content, int start, int end) throws BadLayerException {
    int equals = start;
    while (equals < end && content[equals] != '=') {
      equals++;
    }
    if (equals == end) {
      throw new BadLayerException("a PAX record has no value");
    }
    byte[] value = Arrays.copyOfRange(content, equals + 1, end);
    String key = new String(content, start, equals - start, StandardCharsets.ISO_8859_1);
    if (key.startsWith(XATTR)) {
      addXattr(decoded(key.substring(XATTR.length())), value);
    } else if (key.startsWith("GNU.sparse.")) {
      refusal = TarBlock.SPARSE;
      path = key.equals("GNU.sparse.name") ? value : path;
    } else if (key.startsWith(ACL)) {
      addAcl(key.substring(ACL.length()), value);
    } else {
      set(key, value);
    }
  }

  private void addAcl(String kind, byte[] text) throws BadLayerException {
    switch (kind) {
      case "access" -> acls.put(AllowedXattrs.ACL_ACCESS, AclText.binary(text, true));
      case "default" -> acls.put(AllowedXattrs.ACL_DEFAULT, AclText.binary(text, false));
      default -> refusal = "holds an ACL of another kind than POSIX: " + ACL + kind;
    }
  }

  /** A key holds no equals sign: GNU tar and {@link TarHeader} write {@code %3D} for it. */
  private static byte[] decoded(String name) {
    String plain = name.replace("%3D", "=").replace("%25", "%");
    return plain.getBytes(StandardCharsets.ISO_8859_1);
  }

  private void set(String key, byte[] value) throws BadLayerException {
    switch (key) {
      case "path" -> path = value;
      case "linkpath" -> linkPath = value;
      case "size" -> size = TarNumbers.decimal(value);
      case "uid" -> uid = TarNumbers.decimal(value);
      case "gid" -> gid = TarNumbers.decimal(value);
      case "mtime" -> mtime = TarNumbers.time(value);
      default -> {
        // Names of users, other times and what tools note for themselves: not part of a layer.
      }
    }
  }

  private void addXattr(byte[] name, byte[] value) throws BadLayerException {
    if (xattrs.size() >= XATTRS_MAX) {
      throw new BadLayerException("has more than " + XATTRS_MAX + " extended attributes");
    }
    xattrs.add(new Xattr(name, value));
  }

  /** Why the member that these belong to cannot be taken, null if it can. */
  @Nullable String refusal() {
    return refusal;
  }

  byte @Nullable [] path() {
    return path;
  }

  byte @Nullable [] linkPath() {
    return linkPath;
  }

  long size(long header) {
    return size == null ? header : size;
  }

  long uid(long header) {
    return uid == null ? header : uid;
  }

  long gid(long header) {
    return gid == null ? header : gid;
  }

  Stat.Time mtime(long header) {
    return mtime == null ? new Stat.Time(header, 0) : mtime;
  }

  /** The attributes; one that stands in both forms is taken as the kernel had it. */
  List<Xattr> xattrs() {
    if (acls.isEmpty()) {
      return xattrs;
    }
    List<Xattr> all = new ArrayList<>(xattrs);
    acls.forEach((name, value) -> {
      byte[] bytes = name.getBytes(StandardCharsets.ISO_8859_1);
      if (value != null && xattrs.stream().noneMatch(x -> Arrays.equals(x.name(), bytes))) {
        all.add(new Xattr(bytes, value));
      }
    });
    return all;
  }
}
