/// The meters that this agent knows: the files in `Profiles/`, and whatever the owner adds.
///
/// A file of the owner's with the name of one here takes its place.
public struct MeterCatalogue: Sendable {
  private let own: [MeterProfile]

  /// Makes a catalogue with the owner's profiles in front.
  public init(own: [MeterProfile]) { self.own = own }

  /// Every name, in the order of the alphabet.
  public var ids: [String] {
    Set(own.map(\.id)).union(MeterCatalogue.files.map(\.id)).sorted()
  }

  /// Whether a name is one of the owner's profiles.
  public func isOwn(_ id: String) -> Bool { own.contains { $0.id == id } }

  /// The profile of that name; nil if there is none.
  ///
  /// Only its file is read.
  public func profile(_ id: String) -> MeterProfile? {
    if let profile = own.first(where: { $0.id == id }) { return profile }
    return MeterCatalogue.text(of: id).flatMap {
      ProfileReader.read($0, id: id, file: "\(id).toml").profile
    }
  }

  /// The text of a built-in profile, nil if there is none of that name: a start for one's own.
  public static func text(of id: String) -> String? {
    files.first { $0.id == id }.map { String(decoding: $0.bytes(), as: UTF8.self) }
  }

  /// The files by name; the bytes lie in the program, not beside it.
  private static let files: [(id: String, bytes: @Sendable () -> [UInt8])] = [
    ("abb-a43-a44", { PackageResources.abb_a43_a44_toml }),
    ("abb-b21", { PackageResources.abb_b21_toml }),
    ("abb-b23-b24", { PackageResources.abb_b23_b24_toml }),
    ("acrel-adw300", { PackageResources.acrel_adw300_toml }),
    ("bernecker-mpm3pm", { PackageResources.bernecker_mpm3pm_toml }),
    ("bgetech-drt428m", { PackageResources.bgetech_drt428m_toml }),
    ("bgetech-ds100", { PackageResources.bgetech_ds100_toml }),
    ("bgetech-ws100", { PackageResources.bgetech_ws100_toml }),
    ("carlo-gavazzi-em111", { PackageResources.carlo_gavazzi_em111_toml }),
    ("carlo-gavazzi-em112-et112", { PackageResources.carlo_gavazzi_em112_et112_toml }),
    ("carlo-gavazzi-em24", { PackageResources.carlo_gavazzi_em24_toml }),
    ("carlo-gavazzi-em24-e1", { PackageResources.carlo_gavazzi_em24_e1_toml }),
    ("carlo-gavazzi-em330-em340", { PackageResources.carlo_gavazzi_em330_em340_toml }),
    ("carlo-gavazzi-em530-em540", { PackageResources.carlo_gavazzi_em530_em540_toml }),
    ("carlo-gavazzi-et330-et340", { PackageResources.carlo_gavazzi_et330_et340_toml }),
    ("chint-ddsu666", { PackageResources.chint_ddsu666_toml }),
    ("chint-dtsu666", { PackageResources.chint_dtsu666_toml }),
    ("ddm18sd", { PackageResources.ddm18sd_toml }),
    ("dzg-dvh4013", { PackageResources.dzg_dvh4013_toml }),
    ("eastron-sdm120", { PackageResources.eastron_sdm120_toml }),
    ("eastron-sdm220", { PackageResources.eastron_sdm220_toml }),
    ("eastron-sdm230", { PackageResources.eastron_sdm230_toml }),
    ("eastron-sdm530", { PackageResources.eastron_sdm530_toml }),
    ("eastron-sdm54", { PackageResources.eastron_sdm54_toml }),
    ("eastron-sdm630", { PackageResources.eastron_sdm630_toml }),
    ("eastron-sdm72d-m", { PackageResources.eastron_sdm72d_m_toml }),
    ("eastron-sdm72d-m-v2", { PackageResources.eastron_sdm72d_m_v2_toml }),
    ("eastron-x96-1a", { PackageResources.eastron_x96_1a_toml }),
    ("eltako-dsz15dzmod", { PackageResources.eltako_dsz15dzmod_toml }),
    ("finder-7e23", { PackageResources.finder_7e23_toml }),
    ("finder-7e64-7e86", { PackageResources.finder_7e64_7e86_toml }),
    ("finder-7m24", { PackageResources.finder_7m24_toml }),
    ("finder-7m38", { PackageResources.finder_7m38_toml }),
    ("fronius-smart-meter", { PackageResources.fronius_smart_meter_toml }),
    ("hager-ecr380d", { PackageResources.hager_ecr380d_toml }),
    ("huawei-dtsu666-h", { PackageResources.huawei_dtsu666_h_toml }),
    ("huawei-meter-via-inverter", { PackageResources.huawei_meter_via_inverter_toml }),
    ("inepro-pro1", { PackageResources.inepro_pro1_toml }),
    ("inepro-pro2", { PackageResources.inepro_pro2_toml }),
    ("inepro-pro380", { PackageResources.inepro_pro380_toml }),
    ("janitza-b23", { PackageResources.janitza_b23_toml }),
    ("janitza-umg604", { PackageResources.janitza_umg604_toml }),
    ("janitza-umg96rm", { PackageResources.janitza_umg96rm_toml }),
    ("kostal-ksem", { PackageResources.kostal_ksem_toml }),
    ("lovato-dmg610", { PackageResources.lovato_dmg610_toml }),
    ("orno-we504", { PackageResources.orno_we504_toml }),
    ("orno-we514-we515", { PackageResources.orno_we514_we515_toml }),
    ("orno-we516-we517", { PackageResources.orno_we516_we517_toml }),
    ("orno-we525-we526", { PackageResources.orno_we525_we526_toml }),
    ("phoenix-eem-ma370-ma371", { PackageResources.phoenix_eem_ma370_ma371_toml }),
    ("saia-burgess-ale3", { PackageResources.saia_burgess_ale3_toml }),
    ("schneider-iem2155", { PackageResources.schneider_iem2155_toml }),
    ("schneider-iem3150-iem3250", { PackageResources.schneider_iem3150_iem3250_toml }),
    ("schneider-iem3155-iem3255", { PackageResources.schneider_iem3155_iem3255_toml }),
    ("schneider-pm3255", { PackageResources.schneider_pm3255_toml }),
    ("shelly-pro-3em", { PackageResources.shelly_pro_3em_toml }),
    ("shelly-pro-3em-monophase", { PackageResources.shelly_pro_3em_monophase_toml }),
    ("siemens-pac1600", { PackageResources.siemens_pac1600_toml }),
    ("siemens-pac2200", { PackageResources.siemens_pac2200_toml }),
    ("sma-shm2-modbus", { PackageResources.sma_shm2_modbus_toml }),
    ("socomec-countis-e14", { PackageResources.socomec_countis_e14_toml }),
    ("socomec-countis-e23-e27", { PackageResources.socomec_countis_e23_e27_toml }),
    ("socomec-countis-e34-e44", { PackageResources.socomec_countis_e34_e44_toml }),
    ("solaredge-meter-via-inverter", { PackageResources.solaredge_meter_via_inverter_toml }),
    ("solaredge-se-mtr-3y", { PackageResources.solaredge_se_mtr_3y_toml }),
    ("sunspec", { PackageResources.sunspec_toml }),
    ("sunspec-201", { PackageResources.sunspec_201_toml }),
    ("sunspec-202", { PackageResources.sunspec_202_toml }),
    ("sunspec-203", { PackageResources.sunspec_203_toml }),
    ("sunspec-204", { PackageResources.sunspec_204_toml }),
    ("sunspec-211", { PackageResources.sunspec_211_toml }),
    ("sunspec-212", { PackageResources.sunspec_212_toml }),
    ("sunspec-213", { PackageResources.sunspec_213_toml }),
    ("sunspec-214", { PackageResources.sunspec_214_toml }),
    ("wago-879-30xx", { PackageResources.wago_879_30xx_toml }),
    ("weidmueller-em525", { PackageResources.weidmueller_em525_toml }),
  ]
}
