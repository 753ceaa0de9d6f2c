package dev.regen.snapshot.crypt;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.regen.snapshot.KeyId;
import dev.regen.snapshot.RegenException;
import java.util.Arrays;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

/** Expected bytes were computed by another implementation (pyca/cryptography 48). */
final class EnvelopeTest {
  private static final byte[] TEXT = "Plaintext never touches the disk.".getBytes(UTF_8);
  private static final byte[] BESIDE = "{\"id\":1}".getBytes(UTF_8);
  private static final QueueKey KEY = key("0123456789abcdef", 0);

  @Test
  void chunkIsSealedAsItHasAlwaysBeen() {
    assertThat(HexFormat.of().formatHex(sealed(KEY, TEXT)))
        .isEqualTo(
            "52475343010123456789abcdef094657b89e86b4e4f5dbac258e3abc6b9e08bb5eb5cac948e69f7ca638cb"
                + "0eec9fed05f7a992500fd9b0f5f8c535c9283193b03dc6d57f2430eafd0c0af3f43c9461ca598438"
                + "955f4181a9272839ecb8140a4adddf1e4a2eea");
  }

  @Test
  void detailsAreSealedAsTheyHaveAlwaysBeen() {
    assertThat(HexFormat.of().formatHex(Envelope.sealDetails(KEY, TEXT, BESIDE)))
        .isEqualTo(
            "52475343010123456789abcdef2780755b27355960b634ac8b5113553a39a5de34a0f2566a770b815fd0e9"
                + "425d1ed5bda1f64ffb1cd671b62144c8997db7afd6630a076885ca2f05656358cbbfc7caedf470b5"
                + "2e6a945cf5191134a8313b6917f57c59283581");
  }

  @Test
  void cuttingNumbersAreThoseTheyHaveAlwaysBeen() {
    long[] numbers = KEY.cutting(257);

    assertThat(numbers[0]).isEqualTo(0x644f15f205ad6df4L);
    assertThat(numbers[256]).isEqualTo(0xb85aeb59fe76f250L);
  }

  @Test
  void whatWasSealedIsOpened() throws Exception {
    assertThat(Envelope.open(KEY, sealed(KEY, TEXT))).isEqualTo(TEXT);
    assertThat(Envelope.open(KEY, sealed(KEY, new byte[0]))).isEmpty();
    byte[] details = Envelope.sealDetails(KEY, TEXT, BESIDE);
    assertThat(Envelope.openDetails(KEY, details, BESIDE)).isEqualTo(TEXT);
  }

  @Test
  void equalTextIsEqualUnderOneKeyAndNotUnderTwo() {
    QueueKey other = key("0123456789abcdef", 1);

    assertThat(sealed(KEY, TEXT)).isEqualTo(sealed(key("0123456789abcdef", 0), TEXT));
    byte[] one = sealed(KEY, TEXT);
    byte[] two = sealed(other, TEXT);
    assertThat(Arrays.copyOfRange(one, 13, one.length))
        .isNotEqualTo(Arrays.copyOfRange(two, 13, two.length));
  }

  @Test
  void everyFlippedBitIsNoticed() {
    byte[] good = sealed(KEY, TEXT);
    for (int bit = 0; bit < 8 * good.length; bit++) {
      byte[] bad = good.clone();
      bad[bit / 8] ^= (byte) (1 << bit % 8);
      assertThatThrownBy(() -> opened(bad)).as("bit %d", bit).isInstanceOf(RegenException.class);
    }
  }

  @Test
  void everyTruncationAndAnyAdditionIsNoticed() {
    byte[] good = sealed(KEY, TEXT);
    for (int length = 0; length < good.length; length++) {
      byte[] bad = Arrays.copyOf(good, length);
      assertThatThrownBy(() -> opened(bad)).as("%d", length).isInstanceOf(RegenException.class);
    }
    byte[] longer = Arrays.copyOf(good, good.length + 1);
    assertThatThrownBy(() -> opened(longer)).isInstanceOf(RegenException.Damaged.class);
  }

  @Test
  void newerVersionIsRefusedAndNotGuessed() {
    byte[] newer = sealed(KEY, TEXT);
    newer[4] = 2;

    assertThatThrownBy(() -> Envelope.keyId(newer))
        .isInstanceOf(RegenException.Refused.class)
        .hasMessageContaining("version 2");
  }

  @Test
  void anotherKeyOfTheSameNameIsToldFromDamage() {
    QueueKey other = key("0123456789abcdef", 1);

    assertThatThrownBy(() -> Envelope.open(other, sealed(KEY, TEXT)))
        .isInstanceOf(RegenException.Refused.class)
        .hasMessageContaining("0123456789abcdef")
        .hasMessageContaining("/keys");
  }

  @Test
  void detailsBesideAnotherManifestAreNotOpened() {
    byte[] details = Envelope.sealDetails(KEY, TEXT, BESIDE);

    assertThatThrownBy(() -> Envelope.openDetails(KEY, details, "{\"id\":2}".getBytes(UTF_8)))
        .isInstanceOf(RegenException.Damaged.class);
    assertThatThrownBy(() -> Envelope.open(KEY, details))
        .isInstanceOf(RegenException.Damaged.class);
  }

  @Test
  void keyTellsNothingOfItself() {
    assertThat(KEY.toString()).isEqualTo("key 0123456789abcdef of /keys");
  }

  private static byte[] sealed(QueueKey key, byte[] text) {
    byte[] into = new byte[text.length + Envelope.OVERHEAD_BYTES];
    assertThat(Envelope.seal(key, text, text.length, into)).isEqualTo(into.length);
    return into;
  }

  private static byte[] opened(byte[] sealed) throws RegenException {
    if (!Envelope.is(sealed) || !Envelope.keyId(sealed).equals(KEY.id())) {
      throw new RegenException.Damaged("nobody would take it for this key's");
    }
    return Envelope.open(KEY, sealed);
  }

  private static QueueKey key(String id, int first) {
    byte[] secret = new byte[QueueKey.SECRET_BYTES];
    for (int i = 0; i < secret.length; i++) {
      secret[i] = (byte) (first + i);
    }
    return new QueueKey(new KeyId(id), "/keys", secret);
  }
}
