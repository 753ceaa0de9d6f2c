package dev.regen.snapshot.registry;

import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.store.SealedRecord;
import java.nio.file.Path;
import java.util.regex.Pattern;

/**
 * The names of a registry's records.
 *
 * <pre>
 * registry/name/R              a repository's name; R is made of it
 * registry/blob/R/K/STAMP      a blob of a repository, and its chunks; K is made of its digest
 * registry/manifest/R/K/STAMP  a manifest, all of it
 * registry/tag/R/TAG/REVISION  what a tag means, the highest revision counting, or that it is gone
 * registry/referrer/R/S/K/STAMP  that manifest K names one as its subject; S is made of its digest
 * registry/upload/ID           an upload, as far as it is stored
 * </pre>
 *
 * <p>Of several with one prefix the newest counts. The chunks that a blob's or an upload's record
 * names are needed as long as there is the record.
 */
public final class Names {
  static final String NAMES = "registry/name/";
  static final String BLOBS = "registry/blob/";
  static final String MANIFESTS = "registry/manifest/";
  static final String TAGS = "registry/tag/";
  static final String REFERRERS = "registry/referrer/";
  static final String UPLOADS = "registry/upload/";

  static final String SHORT = "[0-9a-f]{32}";
  private static final String KEY = "(?:sha256-[0-9a-f]{64}|sha512-[0-9a-f]{128})";

  private static final Pattern OURS =
      Pattern.compile(
          "registry/(?:name/"
              + SHORT
              + "|(?:blob|manifest)/"
              + SHORT
              + "/"
              + KEY
              + "/"
              + Stamp.FORM
              + "|tag/"
              + SHORT
              + "/"
              + TagName.FORM
              + "/[0-9]{8}|referrer/"
              + SHORT
              + "/"
              + SHORT
              + "/"
              + KEY
              + "/"
              + Stamp.FORM
              + "|upload/"
              + SHORT
              + ")");

  private Names() {}

  /** Whether a record is one of those that are described above. */
  public static boolean isOurs(String record) {
    return OURS.matcher(record).matches();
  }

  /** Whether a record of this name may say this: all but the shortest tell if a byte is another. */
  public static boolean isWhole(String record, byte[] content) {
    if (record.startsWith(NAMES) || record.startsWith(REFERRERS)) {
      return true;
    }
    try {
      SealedRecord.open(Path.of(record), content, Long.MAX_VALUE);
      return true;
    } catch (RegenException e) {
      return false;
    }
  }

  static String blob(RepositoryName repository, ContentDigest digest) {
    return BLOBS + repository.key() + "/" + digest.key() + "/";
  }

  static String manifest(RepositoryName repository, ContentDigest digest) {
    return MANIFESTS + repository.key() + "/" + digest.key() + "/";
  }

  static String tag(RepositoryName repository, TagName tag) {
    return TAGS + repository.key() + "/" + tag + "/";
  }

  static String referrers(RepositoryName repository, ContentDigest subject) {
    return REFERRERS + repository.key() + "/" + ContentDigest.shortened(subject.toString()) + "/";
  }

  /** The part of a record's name, counted from 0. */
  static String part(String record, int index) {
    return record.split("/", -1)[index];
  }

  /** The digest that a blob's, manifest's or referrer's name ends with, before its stamp. */
  static ContentDigest digest(String record) {
    String[] parts = record.split("/", -1);
    return ContentDigest.ofKey(parts[parts.length - 2]);
  }
}
