package dev.regen.snapshot.publish;

import dev.regen.snapshot.registry.StoredBlob;
import java.util.Locale;

/** How an image's layers are packed. */
public enum LayerForm {
  /** The chunks as they are stored; engines from about 2023 on (Docker 23) read that. */
  ZSTD,
  /** What is in the chunks, unpacked when it is served. */
  TAR,
  /** Packed once more, and stored so; every engine reads that. */
  GZIP;

  /**
   * Reads {@code zstd}, {@code tar} or {@code gzip}.
   *
   * @throws IllegalArgumentException if it is something else
   */
  public static LayerForm of(String word) {
    for (LayerForm form : values()) {
      if (form.word().equals(word)) {
        return form;
      }
    }
    throw new IllegalArgumentException("a layer is zstd, tar or gzip");
  }

  public String word() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** How chunks become such a layer. */
  StoredBlob.Form form() {
    return this == ZSTD ? StoredBlob.Form.STORED : StoredBlob.Form.PLAIN;
  }
}
