package dev.regen.agent.cli;

import picocli.CommandLine.IVersionProvider;

/** The version that the jar's manifest names. */
final class ProductVersion implements IVersionProvider {
  @Override
  public String[] getVersion() {
    String version = ProductVersion.class.getPackage().getImplementationVersion();
    return new String[] {"regen " + (version == null ? "(not packaged)" : version)};
  }
}
