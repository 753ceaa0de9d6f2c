package dev.regen.snapshot.crypt;

import dev.regen.snapshot.KeyId;
import dev.regen.snapshot.RegenException;
import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.security.InvalidKeyException;
import java.util.Arrays;
import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.SecretKey;
import javax.crypto.spec.GCMParameterSpec;
import org.jspecify.annotations.Nullable;

/**
 * Encrypted bytes that say themselves which key opens them.
 *
 * <pre>
 * offset  length
 *      0       4  "RGSC"
 *      4       1  version, 1
 *      5       8  id of the key
 *     13      40  the text's own key, wrapped (RFC 3394) under one derived from that key
 *     53       n  the text, AES-256-GCM under its own key, nonce zero
 * 53 + n      16  tag, over the 53 bytes before too
 * </pre>
 */
public final class Envelope {
  /** How much longer the envelope is than the text in it. */
  public static final int OVERHEAD_BYTES = 69;

  private static final byte[] MAGIC = {'R', 'G', 'S', 'C'};
  private static final byte VERSION = 1;
  private static final int ID_OFFSET = 5;
  private static final int WRAPPED_OFFSET = ID_OFFSET + KeyId.BYTES;
  private static final int WRAPPED_BYTES = 40;
  private static final int HEADER_BYTES = WRAPPED_OFFSET + WRAPPED_BYTES;
  private static final int TAG_BYTES = 16;

  /** Fit for a key that encrypts one text only. */
  private static final GCMParameterSpec NONCE = new GCMParameterSpec(8 * TAG_BYTES, new byte[12]);

  private Envelope() {}

  /** Whether bytes are an envelope, of any version. A zstd frame and JSON begin otherwise. */
  public static boolean is(byte[] bytes) {
    return bytes.length >= MAGIC.length
        && Arrays.equals(bytes, 0, MAGIC.length, MAGIC, 0, MAGIC.length);
  }

  /**
   * Encrypts a chunk's text: the first {@code length} bytes of {@code text}.
   *
   * @param into has room for {@link #OVERHEAD_BYTES} more than that
   * @return the length of the envelope that now stands at the start of {@code into}
   */
  public static int seal(QueueKey key, byte[] text, int length, byte[] into) {
    try {
      return seal(key, key.chunkKey(text, length), null, text, length, into);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("a chunk cannot be encrypted", e);
    }
  }

  /**
   * Encrypts details of something that stands beside them in the plain.
   *
   * @param belongingTo must be given again when they are opened
   */
  public static byte[] sealDetails(QueueKey key, byte[] text, byte[] belongingTo) {
    byte[] sealed = new byte[text.length + OVERHEAD_BYTES];
    try {
      seal(key, key.detailKey(text, belongingTo), belongingTo, text, text.length, sealed);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("details cannot be encrypted", e);
    }
    return sealed;
  }

  /**
   * The key that opens an envelope.
   *
   * @throws RegenException.Damaged if it is cut off before that
   * @throws RegenException.Refused if a newer Regen made it
   */
  public static KeyId keyId(byte[] sealed) throws RegenException {
    if (!is(sealed) || sealed.length < OVERHEAD_BYTES) {
      throw new RegenException.Damaged("encrypted bytes that are cut off");
    }
    if (sealed[MAGIC.length] != VERSION) {
      throw new RegenException.Refused(
          "encrypted bytes of version "
              + sealed[MAGIC.length]
              + "; this Regen knows version "
              + VERSION
              + ": use the Regen that wrote them, or a newer one");
    }
    return KeyId.of(sealed, ID_OFFSET);
  }

  /**
   * The text of a chunk.
   *
   * @throws RegenException.Refused if {@code key} has the right id and is another key
   * @throws RegenException.Damaged if a byte has changed
   */
  public static byte[] open(QueueKey key, byte[] sealed) throws RegenException {
    return open(key, sealed, null);
  }

  /** The text of details; fails too if {@code belongingTo} has changed. */
  public static byte[] openDetails(QueueKey key, byte[] sealed, byte[] belongingTo)
      throws RegenException {
    return open(key, sealed, belongingTo);
  }

  private static int seal(
      QueueKey key,
      SecretKey own,
      byte @Nullable [] belongingTo,
      byte[] text,
      int length,
      byte[] into)
      throws GeneralSecurityException {
    ByteBuffer.wrap(into).put(MAGIC).put(VERSION).put(key.id().bytes()).put(key.wrapped(own));
    Cipher cipher = cipher(Cipher.ENCRYPT_MODE, own, into, belongingTo);
    return HEADER_BYTES + cipher.doFinal(text, 0, length, into, HEADER_BYTES);
  }

  private static byte[] open(QueueKey key, byte[] sealed, byte @Nullable [] belongingTo)
      throws RegenException {
    if (!keyId(sealed).equals(key.id())) {
      throw new IllegalArgumentException(key + " for what another one encrypted");
    }
    try {
      SecretKey own = key.unwrapped(Arrays.copyOfRange(sealed, WRAPPED_OFFSET, HEADER_BYTES));
      Cipher cipher = cipher(Cipher.DECRYPT_MODE, own, sealed, belongingTo);
      return cipher.doFinal(sealed, HEADER_BYTES, sealed.length - HEADER_BYTES);
    } catch (InvalidKeyException e) {
      throw new RegenException.Refused(
          key
              + " is not the "
              + key.id()
              + " that this was encrypted with; put that one back from your copy");
    } catch (AEADBadTagException e) {
      throw new RegenException.Damaged("its bytes are not those that were encrypted");
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("an envelope cannot be opened", e);
    }
  }

  private static Cipher cipher(
      int mode, SecretKey own, byte[] header, byte @Nullable [] belongingTo)
      throws GeneralSecurityException {
    Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
    cipher.init(mode, own, NONCE);
    cipher.updateAAD(header, 0, HEADER_BYTES);
    if (belongingTo != null) {
      cipher.updateAAD(belongingTo);
    }
    return cipher;
  }
}
