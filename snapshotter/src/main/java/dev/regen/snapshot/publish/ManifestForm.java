package dev.regen.snapshot.publish;

import dev.regen.snapshot.registry.ManifestDocument;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * In whose terms a manifest speaks.
 *
 * <p>Source: OCI image-spec v1.1, "Media Types"; Docker's "Image Manifest Version 2, Schema 2".
 */
public enum ManifestForm {
  OCI(
      ManifestDocument.OCI_MANIFEST,
      "application/vnd.oci.image.config.v1+json",
      "application/vnd.oci.image.layer.v1.tar",
      "+gzip",
      "+zstd"),
  DOCKER(
      ManifestDocument.DOCKER_MANIFEST,
      "application/vnd.docker.container.image.v1+json",
      "application/vnd.docker.image.rootfs.diff.tar",
      ".gzip",
      null);

  private final String manifestType;
  private final String configType;
  private final String tarType;
  private final String gzipEnding;
  private final @Nullable String zstdEnding;

  ManifestForm(
      String manifestType,
      String configType,
      String tarType,
      String gzipEnding,
      @Nullable String zstdEnding) {
    this.manifestType = manifestType;
    this.configType = configType;
    this.tarType = tarType;
    this.gzipEnding = gzipEnding;
    this.zstdEnding = zstdEnding;
  }

  /**
   * Reads {@code oci} or {@code docker}.
   *
   * @throws IllegalArgumentException if it is something else
   */
  public static ManifestForm of(String word) {
    for (ManifestForm form : values()) {
      if (form.name().toLowerCase(Locale.ROOT).equals(word)) {
        return form;
      }
    }
    throw new IllegalArgumentException("a manifest is oci or docker");
  }

  String manifestType() {
    return manifestType;
  }

  String configType() {
    return configType;
  }

  /** Whether such a manifest has a name for layers of this form. */
  boolean knows(LayerForm layer) {
    return layer != LayerForm.ZSTD || zstdEnding != null;
  }

  /**
   * What layers of this form are called.
   *
   * @throws UnpublishableException unless such a manifest {@link #knows} them
   */
  String layerType(LayerForm layer) throws UnpublishableException {
    return tarType
        + switch (layer) {
          case TAR -> "";
          case GZIP -> gzipEnding;
          case ZSTD -> {
            if (zstdEnding == null) {
              throw new UnpublishableException(
                  UnpublishableException.Reason.REFUSED,
                  "the image has layers packed with zstd, for which a manifest of Docker's has no"
                      + " name: say --manifest=oci");
            }
            yield zstdEnding;
          }
        };
  }
}
