package dev.regen.agent.node;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Locale;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Which fleet a host belongs to.
 *
 * @param name of this host there: what its token or certificate is for
 */
public record NodeConfiguration(ManagerUrl manager, String name) {
  private static final Pattern NAME = Pattern.compile("[a-z0-9][a-z0-9.-]{0,62}");

  public NodeConfiguration {
    if (!NAME.matcher(name).matches()) {
      throw new IllegalArgumentException(
          "a node's name has small letters, digits, '.' and '-', 63 at most, and begins with a"
              + " letter or digit; '"
              + name
              + "' has not: say another with --node");
    }
  }

  /**
   * As it was told.
   *
   * @param name null for the host's
   * @return null without a manager
   */
  public static @Nullable NodeConfiguration of(@Nullable String manager, @Nullable String name) {
    return manager == null
        ? null
        : new NodeConfiguration(ManagerUrl.parse(manager), name == null ? host() : name);
  }

  /** This host's name. */
  public static String host() {
    try {
      return InetAddress.getLocalHost().getHostName().toLowerCase(Locale.ROOT);
    } catch (UnknownHostException e) {
      throw new IllegalArgumentException("this host has no name; say one with --node", e);
    }
  }
}
