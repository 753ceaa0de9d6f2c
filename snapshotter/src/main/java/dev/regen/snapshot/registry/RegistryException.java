package dev.regen.snapshot.registry;

import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** What a registry refuses, in the terms of the distribution-spec. */
public final class RegistryException extends IOException {
  private static final long serialVersionUID = 1;

  /** The spec's error codes; where it has none that fits, those that other registries use. */
  public enum Code {
    BLOB_UNKNOWN,
    BLOB_UPLOAD_INVALID,
    BLOB_UPLOAD_UNKNOWN,
    DIGEST_INVALID,
    MANIFEST_BLOB_UNKNOWN,
    MANIFEST_INVALID,
    MANIFEST_UNKNOWN,
    NAME_INVALID,
    NAME_UNKNOWN,
    PAGINATION_NUMBER_INVALID,
    SIZE_INVALID,
    TAG_INVALID,
    UNAUTHORIZED,
    DENIED,
    UNSUPPORTED,
    TOOMANYREQUESTS,
    RANGE_INVALID,
    UNAVAILABLE,
    UNKNOWN
  }

  private final Code code;
  private final transient @Nullable JsonObject detail;

  public RegistryException(Code code, String message) {
    this(code, message, null);
  }

  public RegistryException(Code code, String message, @Nullable JsonObject detail) {
    super(message);
    this.code = code;
    this.detail = detail;
  }

  public Code code() {
    return code;
  }

  public @Nullable JsonObject detail() {
    return detail;
  }
}
