package dev.regen.snapshot.crypt;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.regen.snapshot.KeyId;
import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.security.InvalidKeyException;
import javax.crypto.Cipher;
import javax.crypto.KDF;
import javax.crypto.Mac;
import javax.crypto.SecretKey;
import javax.crypto.spec.HKDFParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/**
 * What is derived from one key of the keyset. Safe for use by several threads at once.
 *
 * <p>Part of the format: HKDF-SHA-256 without salt, its {@code info} being {@code regen v1} and the
 * purpose.
 */
public final class QueueKey {
  /** Length of a key of the keyset. */
  public static final int SECRET_BYTES = 32;

  private static final int DERIVED_BYTES = 32;
  private static final String INFO = "regen v1 ";
  private static final String MAC = "HmacSHA256";

  private final KeyId id;
  private final String from;
  private final SecretKey secret;
  private final SecretKey chunkKeys;
  private final SecretKey detailKeys;
  private final SecretKey wrapping;

  /**
   * Derives what is needed.
   *
   * @param from where it is kept, for messages
   * @param secret {@link #SECRET_BYTES} random bytes; copied
   */
  public QueueKey(KeyId id, String from, byte[] secret) {
    if (secret.length != SECRET_BYTES) {
      throw new IllegalArgumentException("a key of " + secret.length + " bytes");
    }
    this.id = id;
    this.from = from;
    this.secret = new SecretKeySpec(secret, "Generic");
    this.chunkKeys = new SecretKeySpec(derived("chunk keys", DERIVED_BYTES), MAC);
    this.detailKeys = new SecretKeySpec(derived("detail keys", DERIVED_BYTES), MAC);
    this.wrapping = new SecretKeySpec(derived("wrapping", DERIVED_BYTES), "AES");
  }

  public KeyId id() {
    return id;
  }

  /** Numbers that decide where streams are cut. */
  public long[] cutting(int count) {
    long[] numbers = new long[count];
    ByteBuffer.wrap(derived("cutting", count * Long.BYTES)).asLongBuffer().get(numbers);
    return numbers;
  }

  /** The key for one chunk: HMAC-SHA-256 of its text. */
  SecretKey chunkKey(byte[] text, int length) throws GeneralSecurityException {
    Mac mac = Mac.getInstance(MAC);
    mac.init(chunkKeys);
    mac.update(text, 0, length);
    return new SecretKeySpec(mac.doFinal(), "AES");
  }

  /** The key for one manifest's details: what they belong to decides it too. */
  SecretKey detailKey(byte[] text, byte[] belongingTo) throws GeneralSecurityException {
    Mac mac = Mac.getInstance(MAC);
    mac.init(detailKeys);
    mac.update(ByteBuffer.allocate(Long.BYTES).putLong(belongingTo.length).flip());
    mac.update(belongingTo);
    mac.update(text);
    return new SecretKeySpec(mac.doFinal(), "AES");
  }

  byte[] wrapped(SecretKey own) throws GeneralSecurityException {
    Cipher cipher = Cipher.getInstance("AES/KW/NoPadding");
    cipher.init(Cipher.WRAP_MODE, wrapping);
    return cipher.wrap(own);
  }

  /**
   * The opposite of {@link #wrapped}.
   *
   * @throws InvalidKeyException if it was not wrapped under this key
   */
  SecretKey unwrapped(byte[] wrapped) throws GeneralSecurityException {
    Cipher cipher = Cipher.getInstance("AES/KW/NoPadding");
    cipher.init(Cipher.UNWRAP_MODE, wrapping);
    return (SecretKey) cipher.unwrap(wrapped, "AES", Cipher.SECRET_KEY);
  }

  /** Names the key and where it is kept, and tells nothing of it. */
  @Override
  public String toString() {
    return "key " + id + " of " + from;
  }

  private byte[] derived(String purpose, int length) {
    try {
      return KDF.getInstance("HKDF-SHA256")
          .deriveData(
              HKDFParameterSpec.ofExtract()
                  .addIKM(secret)
                  .thenExpand((INFO + purpose).getBytes(US_ASCII), length));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every Java 25 has HKDF-SHA256", e);
    }
  }
}
