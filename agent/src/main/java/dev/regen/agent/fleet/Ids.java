package dev.regen.agent.fleet;

import java.security.SecureRandom;
import java.util.HexFormat;

/** Ids that nobody can guess, and that no other fleet has. */
final class Ids {
  private static final SecureRandom RANDOM = new SecureRandom();
  private static final int ID_BYTES = 12;

  private Ids() {}

  /** The id of a job: a node remembers those of a manager whose database is gone. */
  static String make() {
    byte[] bytes = new byte[ID_BYTES];
    RANDOM.nextBytes(bytes);
    return HexFormat.of().formatHex(bytes);
  }
}
